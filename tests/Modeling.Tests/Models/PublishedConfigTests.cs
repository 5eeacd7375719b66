using System.Text.Json.Nodes;

namespace Graft.Modeling.Tests.Models;

/// <summary>The fields of configurations as they are published: all of them are known, and what is not known is refused.</summary>
public sealed class PublishedConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("Llama 2", """
        {"_name_or_path":"meta-llama/Llama-2-7b-hf","architectures":["LlamaForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu",
        "hidden_size":4096,"initializer_range":0.02,"intermediate_size":11008,"max_position_embeddings":4096,"model_type":"llama",
        "num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":32,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":null,
        "tie_word_embeddings":false,"torch_dtype":"float16","transformers_version":"4.31.0.dev0","use_cache":true,"vocab_size":32000}
        """)]
    [InlineData("Llama 3.2", """
        {"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,
        "eos_token_id":[128001,128008,128009],"head_dim":64,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,
        "intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,
        "num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,
        "high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0.dev0","use_cache":true,"vocab_size":128256}
        """)]
    [InlineData("SmolLM2", """
        {"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,
        "hidden_act":"silu","hidden_size":576,"initializer_range":0.041666666666666664,"intermediate_size":1536,"is_llama_config":true,
        "max_position_embeddings":8192,"mlp_bias":false,"model_type":"llama","num_attention_heads":9,"num_hidden_layers":30,
        "num_key_value_heads":3,"pad_token_id":2,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_interleaved":false,"rope_scaling":null,
        "rope_theta":100000,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.42.3",
        "transformers.js_config":{"kv_cache_dtype":{"q4f16":"float16","fp16":"float16"}},"use_cache":true,"vocab_size":49152}
        """)]
    [InlineData("Mistral", """
        {"architectures":["MistralForCausalLM"],"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu",
        "hidden_size":4096,"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":32768,"model_type":"mistral",
        "num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":1000000.0,
        "sliding_window":null,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.42.0.dev0","use_cache":true,
        "vocab_size":32768}
        """)]
    [InlineData("Qwen 2.5", """
        {"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"hidden_act":"silu",
        "hidden_size":896,"initializer_range":0.02,"intermediate_size":4864,"max_position_embeddings":32768,"max_window_layers":21,
        "model_type":"qwen2","num_attention_heads":14,"num_hidden_layers":24,"num_key_value_heads":2,"rms_norm_eps":1e-06,
        "rope_theta":1000000.0,"sliding_window":32768,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.43.1",
        "use_cache":true,"use_sliding_window":false,"vocab_size":151936}
        """)]
    [InlineData("Qwen 3", """
        {"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,
        "head_dim":128,"hidden_act":"silu","hidden_size":1024,"initializer_range":0.02,"intermediate_size":3072,
        "max_position_embeddings":40960,"max_window_layers":28,"model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,
        "num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,"sliding_window":null,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,
        "vocab_size":151936}
        """)]
    [InlineData("Gemma 2", """
        {"architectures":["Gemma2ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attn_logit_softcapping":50.0,"bos_token_id":2,
        "cache_implementation":"hybrid","eos_token_id":1,"final_logit_softcapping":30.0,"head_dim":256,"hidden_act":"gelu_pytorch_tanh",
        "hidden_activation":"gelu_pytorch_tanh","hidden_size":3584,"initializer_range":0.02,"intermediate_size":14336,
        "max_position_embeddings":8192,"model_type":"gemma2","num_attention_heads":16,"num_hidden_layers":42,"num_key_value_heads":8,
        "pad_token_id":0,"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_theta":10000.0,"sliding_window":4096,
        "sliding_window_size":4096,"torch_dtype":"bfloat16","transformers_version":"4.42.0.dev0","use_cache":true,"vocab_size":256000,
        "_attn_implementation":"eager"}
        """)]
    [InlineData("Gemma 3", """
        {"architectures":["Gemma3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attn_logit_softcapping":null,"bos_token_id":2,
        "cache_implementation":"hybrid","eos_token_id":[1,106],"final_logit_softcapping":null,"head_dim":256,
        "hidden_activation":"gelu_pytorch_tanh","hidden_size":1152,"initializer_range":0.02,"intermediate_size":6912,
        "max_position_embeddings":32768,"model_type":"gemma3_text","num_attention_heads":4,"num_hidden_layers":26,"num_key_value_heads":1,
        "pad_token_id":0,"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_local_base_freq":10000,"rope_scaling":null,
        "rope_theta":1000000,"sliding_window":512,"sliding_window_pattern":6,"torch_dtype":"bfloat16","transformers_version":"4.50.0.dev0",
        "use_cache":true,"vocab_size":262144}
        """)]
    [InlineData("Phi 4 mini, without its factors", """
        {"architectures":["Phi3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "auto_map":{"AutoConfig":"configuration_phi3.Phi3Config"},"bos_token_id":199999,"embd_pdrop":0.0,"eos_token_id":199999,
        "full_attn_mod":1,"hidden_act":"silu","hidden_size":3072,"initializer_range":0.02,"intermediate_size":8192,"interpolate_factor":1,
        "lm_head_bias":false,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"phi3","num_attention_heads":24,
        "num_hidden_layers":32,"num_key_value_heads":8,"original_max_position_embeddings":4096,"pad_token_id":199999,
        "partial_rotary_factor":0.75,"resid_pdrop":0.0,"rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":262144,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0","use_cache":true,"vocab_size":200064}
        """)]
    [InlineData("GPT-2", """
        {"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"bos_token_id":50256,"embd_pdrop":0.1,
        "eos_token_id":50256,"initializer_range":0.02,"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":768,"n_head":12,
        "n_layer":12,"n_positions":1024,"n_special":0,"predict_special_tokens":true,"resid_pdrop":0.1,"summary_activation":null,
        "summary_first_dropout":0.1,"summary_proj_to_labels":true,"summary_type":"cls_index","summary_use_proj":true,
        "task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257}
        """)]
    [InlineData("BERT", """
        {"architectures":["BertForMaskedLM"],"attention_probs_dropout_prob":0.1,"directionality":"bidi","gradient_checkpointing":false,
        "hidden_act":"gelu","hidden_dropout_prob":0.1,"hidden_size":768,"initializer_range":0.02,"intermediate_size":3072,
        "layer_norm_eps":1e-12,"max_position_embeddings":512,"model_type":"bert","num_attention_heads":12,"num_hidden_layers":12,
        "pad_token_id":0,"pooler_fc_size":768,"pooler_num_attention_heads":12,"pooler_num_fc_layers":3,"pooler_size_per_head":128,
        "pooler_type":"first_token_transform","position_embedding_type":"absolute","transformers_version":"4.6.0.dev0","type_vocab_size":2,
        "use_cache":true,"vocab_size":28996}
        """)]
    [InlineData("RoBERTa", """
        {"architectures":["RobertaForMaskedLM"],"attention_probs_dropout_prob":0.1,"bos_token_id":0,"eos_token_id":2,"hidden_act":"gelu",
        "hidden_dropout_prob":0.1,"hidden_size":768,"initializer_range":0.02,"intermediate_size":3072,"layer_norm_eps":1e-05,
        "max_position_embeddings":514,"model_type":"roberta","num_attention_heads":12,"num_hidden_layers":12,"pad_token_id":1,
        "type_vocab_size":1,"vocab_size":50265}
        """)]
    public void A_published_configuration_is_read(string model, string config)
    {
        Write(config);
        Assert.True(ModelConfigReader.FromFolder(folder).VocabularySize > 20_000, model);
    }

    [Theory]
    [InlineData("llama", "sliding_window", "4096")]
    [InlineData("llama", "residual_multiplier", "0.22")]
    [InlineData("llama", "quantization", """{"group_size":64,"bits":4}""")]
    [InlineData("mistral", "attention_bias", "true")]
    [InlineData("qwen2", "layer_scale", "[1]")]
    [InlineData("gpt2", "alibi", "true")]
    [InlineData("bert_seqcls", "adapters", """{"a":1}""")]
    public void An_option_that_nobody_reads_is_refused_by_name(string model, string field, string value)
    {
        var config = Config(model);
        config[field] = JsonNode.Parse(value);
        Write(config.ToJsonString());
        Assert.Contains($"{field} is {value}, and there is no such option here",
            Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message, StringComparison.Ordinal);
        foreach (var off in new JsonNode?[] { null, false, "", new JsonArray(), new JsonObject() })
        {
            if (field == "attention_bias" && off is not null) continue;
            config[field] = off;
            Write(config.ToJsonString());
            ModelConfigReader.FromFolder(folder);
        }
    }

    [Fact]
    public void All_unread_options_are_told_at_once_and_those_of_the_rotary_positions_too()
    {
        var config = Config("qwen2");
        config["embedding_multiplier"] = 12;
        config["logits_scaling"] = 8;
        config["rope_scaling"] = JsonNode.Parse("""{"rope_type":"default","mrope_section":[16,24,24]}""");
        config["rope_parameters"] = null;
        Write(config.ToJsonString());
        var message = Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message;
        foreach (var part in new[] { "embedding_multiplier is 12", "logits_scaling is 8", "rope_scaling.mrope_section is [16,24,24]" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_larger_than_any_is_refused_before_it_is_read()
    {
        Write(Config("llama").ToJsonString());
        using (var file = File.OpenWrite(Path.Combine(folder, "config.json"))) file.SetLength((16 << 20) + 1);
        Assert.Contains("config.json: has 16777217 bytes; at most 16777216",
            Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static JsonObject Config(string name) =>
        JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", name, "config.json")))!.AsObject();

    private void Write(string config) => File.WriteAllText(Path.Combine(folder, "config.json"), config);
}
