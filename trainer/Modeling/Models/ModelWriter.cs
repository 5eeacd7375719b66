using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Gguf;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Writes a whole model as a folder in Hugging Face layout.</summary>
public static class ModelWriter
{
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Files of the source folder that belong to a model and say nothing of its weights.</summary>
    private static readonly string[] Companions =
        [TokenizerFiles.Tokenizer, TokenizerFiles.Config, TokenizerFiles.Template, "special_tokens_map.json", "generation_config.json"];

    /// <summary><c>config.json</c>, <c>model.safetensors</c> and the tokenizer's files, into an existing folder.</summary>
    /// <param name="dtype">Element type of the weights in the file.</param>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Save(BaseModel model, string folder, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            model.Network.Weights.Select(w => (w.Name, w.Weight.dtype == dtype ? w.Weight : w.Weight.to_type(dtype))));
        File.WriteAllText(Path.Combine(folder, "config.json"), Configuration(model.Config, dtype).ToJsonString(Readable) + "\n");
        if (Directory.Exists(model.Path))
        {
            foreach (var name in Companions)
                if (Path.Combine(model.Path, name) is var source && File.Exists(source)) File.Copy(source, Path.Combine(folder, name), overwrite: true);
        }
        else
        {
            using var file = GgufFile.Open(model.Path);
            TokenizerWriter.Write(file, folder);
        }
    }

    private static JsonObject Configuration(ModelConfig c, ScalarType dtype) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["attention_bias"] = false,
        ["bos_token_id"] = c.BosId,
        ["dtype"] = Spelling(dtype),
        ["eos_token_id"] = c.EosIds switch { [] => null, [var one] => one, var many => new JsonArray([.. many.Select(i => (JsonNode)i)]) },
        ["head_dim"] = c.HeadSize,
        ["hidden_act"] = "silu",
        ["hidden_size"] = c.HiddenSize,
        ["initializer_range"] = c.InitializerRange,
        ["intermediate_size"] = c.IntermediateSize,
        ["max_position_embeddings"] = c.MaxPositions,
        ["mlp_bias"] = false,
        ["model_type"] = c.ModelType,
        ["num_attention_heads"] = c.Heads,
        ["num_hidden_layers"] = c.Layers,
        ["num_key_value_heads"] = c.KvHeads,
        ["pad_token_id"] = c.PadId,
        ["rms_norm_eps"] = c.NormEpsilon,
        // Both spellings of the rotary base, for readers before and since transformers 5.
        ["rope_parameters"] = new JsonObject { ["rope_theta"] = c.RopeTheta, ["rope_type"] = "default" },
        ["rope_theta"] = c.RopeTheta,
        ["tie_word_embeddings"] = c.TiedEmbeddings,
        ["torch_dtype"] = Spelling(dtype),
        ["vocab_size"] = c.VocabularySize,
    };

    private static string Spelling(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        _ => "float32",
    };
}
