using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Lora;

/// <summary>What options say, of a job and of somebody's folder.</summary>
[Collection(TorchCollection.Name)]
public sealed class LoraOptionTests : IDisposable
{
    private static readonly LoraTargets Queries = new() { Modules = ["q_proj"] };
    private readonly LoraRun run = new();

    [Fact]
    public void The_first_pattern_that_fits_a_path_or_what_follows_a_dot_in_it_counts()
    {
        using var method = run.Attach(new LoraMethod(new LoraTargets { Modules = ["q_proj", "v_proj"] }, 4)
        {
            RankPattern = new Dictionary<string, int> { [@"^model\.layers\.0\.self_attn\.q_proj"] = 2, ["_proj"] = 7, ["[qv]_proj"] = 3 },
        });
        Assert.Equal([2, 3, 3, 3], method.Trainable.Where((_, i) => i % 2 == 0).Select(t => t.Parameter.size(0)));
    }

    [Fact]
    public void Layers_leave_the_other_blocks_alone()
    {
        using var method = run.Attach(new LoraMethod(Queries, 4, Layers: [1]));
        Assert.All(method.Trainable, t => Assert.Contains("layers.1.", t.Name, StringComparison.Ordinal));
        Assert.Equal(2, method.Trainable.Count);
    }

    [Fact]
    public void Whatever_does_not_fit_is_told_at_once()
    {
        var thrown = Assert.Throws<TuningException>(() => run.Attach(new LoraMethod(
            new LoraTargets { Modules = ["q_porj", "model.embed_tokens"] }, 4, LoraPlusRatio: 0, Dora: true, Layers: [2])
        {
            ModulesToSave = ["lmhead"],
        }));
        Assert.Equal(5, thrown.Problems.Count);
        foreach (var part in new[]
        {
            "Did you mean 'q_proj'?", "Did you mean 'lm_head'?", "loraPlusRatio is 0", "block 2", "dora is not supported on the embedding",
        })
            Assert.Contains(part, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_the_layers_leave_out_is_refused()
    {
        var options = new LoraMethod(new LoraTargets { Modules = ["q_proj", "embed_tokens"] }, 4, Layers: [1]);
        var thrown = Assert.Throws<TuningException>(() => run.Attach(options));
        Assert.Contains("'embed_tokens' is in none of the blocks", thrown.Message, StringComparison.Ordinal);
        using var method = run.Attach(options with { Targets = new LoraTargets { Modules = ["q_proj", "model.embed_tokens"] } });
        Assert.Equal(4, method.Trainable.Count);
    }

    [Theory]
    [InlineData("q_proj(", "rankPattern: 'q_proj('")]
    [InlineData("q_proj)|(?:x", "rankPattern: 'q_proj)|(?:x'")]
    [InlineData("(?=q)q_proj", "rankPattern: '(?=q)q_proj'")]
    public void A_pattern_that_cannot_be_used_is_refused(string pattern, string message)
    {
        var thrown = Assert.Throws<TuningException>(() =>
            run.Attach(new LoraMethod(Queries, 4) { RankPattern = new Dictionary<string, int> { [pattern] = 2 } }));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rank_of_a_pattern_above_the_layers_size_is_refused()
    {
        var options = new LoraMethod(new LoraTargets { Modules = ["q_proj", "k_proj"] }, 4)
        {
            RankPattern = new Dictionary<string, int> { ["k_proj"] = 33 },
        };
        var thrown = Assert.Throws<TuningException>(() => run.Attach(options));
        Assert.Contains("at most 32", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"target_modules": ".*layers\\.1\\.self_attn\\.(q|v)_proj"}""", "1.q_proj 1.v_proj")]
    [InlineData("""{"target_modules": "all-linear"}""", "q_proj k_proj v_proj o_proj gate_proj up_proj down_proj")]
    [InlineData("""{"target_modules": "all-linear", "exclude_modules": ["mlp.down_proj"]}""", "q_proj k_proj v_proj o_proj gate_proj up_proj")]
    [InlineData("""{"target_modules": ["q_proj", "mlp.up_proj", "no"], "exclude_modules": ".*layers\\.0.*"}""", "1.q_proj 1.up_proj")]
    [InlineData("""{"target_modules": ["q_proj", "v_proj"], "layers_to_transform": 1}""", "1.q_proj 1.v_proj")]
    [InlineData("""{"target_modules": ["q_proj"], "layers_to_transform": [0, 1], "layers_pattern": "layers"}""", "q_proj")]
    [InlineData(
        """{"target_modules": ["q_proj", "model.layers.0.self_attn.v_proj"], "layers_to_transform": [1], "layers_pattern": ["h", "layers"]}""",
        "1.q_proj 0.v_proj")]
    [InlineData("""{"target_modules": ["q_proj", "lm_head", "score"], "modules_to_save": ["lm_head"]}""", "q_proj")]
    [InlineData("{}", "0.q_proj v_proj")]
    public void A_folders_fields_say_which_modules_are_tuned_as_in_peft(string json, string tuned)
    {
        using var scope = NewDisposeScope();
        var fields = JsonNode.Parse(json)!.AsObject();
        fields["peft_type"] = "LORA";
        fields["r"] = 2;
        var names = tuned.Split(' ');
        var sites = run.Model.Transformer.Linears.Where(l =>
        {
            var parts = l.Name.Split('.');                              // model.layers.0.self_attn.q_proj
            return names.Contains(parts[^1]) || names.Contains($"{parts[2]}.{parts[^1]}");
        }).ToList();
        Write(fields, sites);
        // A tensor that is missing or not asked for would be refused.
        using var adapter = LoadedAdapter.Load(run.Model, "a", run.Folder);
        Assert.All(sites, s => Assert.NotNull(adapter.Attachment.At(s)));
        Assert.Equal(fields["modules_to_save"] is not null, adapter.Attachment.At(run.Model.Transformer.OutputHead!) is not null);
    }

    [Fact]
    public void What_peft_can_say_and_nobody_does_here_is_refused_by_name_all_at_once()
    {
        using var scope = NewDisposeScope();
        Write(JsonNode.Parse("""
            {"peft_type": "LORA", "r": 2, "target_modules": "(?<!x)q_proj", "bias": "some", "lora_bias": true, "use_qalora": true,
             "init_lora_weights": "pissa_niter_4", "trainable_token_indices": [1], "target_parameters": ["x"], "layer_replication": [[0, 1]],
             "alora_invocation_tokens": [1], "rank_pattern": {"q_proj": 0}, "lora_dropout": 1.5, "arrow_config": {"a": 1},
             "kasa_config": {"a": 1}, "monteclora_config": {"a": 1}, "velora_config": {"a": 1}, "use_bdlora": {"a": 1},
             "ensure_weight_tying": true, "modules_to_save": ["embed_tokens"], "layers_to_transform": ["x"]}
            """)!.AsObject(), []);
        var thrown = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(run.Model, "a", run.Folder));
        foreach (var name in new[]
        {
            "target_modules", "bias is 'some'", "lora_bias", "use_qalora", "init_lora_weights", "trainable_token_indices", "target_parameters",
            "layer_replication", "alora_invocation_tokens", "rank_pattern", "lora_dropout", "arrow_config", "kasa_config", "monteclora_config",
            "velora_config", "use_bdlora", "ensure_weight_tying", "layers_to_transform",
        }) Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("method.lora", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_module_of_this_base_speaks_of_its_own_fields()
    {
        using var scope = NewDisposeScope();
        Write(JsonNode.Parse("""{"peft_type": "LORA", "r": 2, "target_modules": ["c_attn"]}""")!.AsObject(), []);
        var thrown = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(run.Model, "a", run.Folder));
        Assert.Contains("target_modules", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("method.lora", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Embeddings_and_heads_are_stored_with_the_frozen_weight_beside_them_as_peft_does()
    {
        using var scope = NewDisposeScope();
        using var method = run.Attach(new LoraMethod(new LoraTargets { Modules = ["embed_tokens", "lm_head", "q_proj"] }, 4));
        method.Save(run.Folder, run.Model, "base");
        using var file = SafetensorsFile.Open(Path.Combine(run.Folder, "adapter_model.safetensors"));
        var (v, c) = (run.Model.Config.VocabularySize, run.Model.Config.HiddenSize);
        long[] Shape(string name) => [.. file.Tensors["base_model.model." + name].Shape];
        Assert.Equal([4, v], Shape("model.embed_tokens.lora_embedding_A"));
        Assert.Equal([c, 4], Shape("model.embed_tokens.lora_embedding_B"));
        Assert.Equal([v, c], Shape("model.embed_tokens.base_layer.weight"));
        Assert.Equal([4, c], Shape("lm_head.lora_A.weight"));
        Assert.Equal([v, 4], Shape("lm_head.lora_B.weight"));
        Assert.Equal([v, c], Shape("lm_head.base_layer.weight"));
        Assert.Equal(10, file.Tensors.Count);
    }

    [Fact]
    public void All_linear_is_written_as_the_names_of_the_layers()
    {
        using var scope = NewDisposeScope();
        using var method = run.Attach(new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, 4));
        method.Save(run.Folder, run.Model, "base");
        var names = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "adapter_config.json")))!["target_modules"]!.AsArray();
        Assert.Equal(run.Model.Transformer.Linears.Select(l => l.Name).Order(StringComparer.Ordinal), names.Select(n => (string)n!));
    }

    [Fact]
    public void Many_names_are_written_as_the_shortest_ends_that_fit_no_other_module()
    {
        string[] parts = ["self_attn.q_proj", "self_attn.o_proj", "mlp.dense"];
        List<string> modules = [.. Enumerable.Range(0, 10).SelectMany(i => parts.Select(p => $"model.layers.{i}.{p}"))];
        Assert.Equal(["mlp.dense", "o_proj", "q_proj"], LoraTargetNames.Shortest(modules, ["classifier.dense", "lm_head"]));
        Assert.Equal(["dense", "o_proj", "q_proj"], LoraTargetNames.Shortest(modules, ["lm_head"]));
    }

    [Fact]
    public void Each_row_of_a_step_gets_the_head_of_its_own_adapter()
    {
        using var scope = NewDisposeScope();
        using var method = run.Attach(new LoraMethod(new LoraTargets { Modules = ["lm_head", "embed_tokens"] }, 4), 0.3);
        using var adapter = run.SaveAndLoad(method);
        IReadOnlyList<int> prompt = [9, 100, 200];
        var generator = new TextGenerator(run.Model);
        var options = new SamplingOptions { Temperature = 0, MaxTokens = 6 };
        var alone = new[] { null, adapter }.Select(a => generator.Generate(prompt, options, a).Ids).ToList();
        Assert.NotEqual(alone[0], alone[1]);
        using var bare = new GenerationSequence(run.Model, prompt, options, null);
        using var tuned = new GenerationSequence(run.Model, prompt, options, adapter);
        while (bare.Finish is null || tuned.Finish is null) generator.Step([bare, tuned]);
        Assert.Equal(alone[0], bare.Result.Ids);
        Assert.Equal(alone[1], tuned.Result.Ids);
    }

    public void Dispose() => run.Dispose();

    private void Write(JsonObject fields, IReadOnlyList<LinearSite> sites)
    {
        File.WriteAllText(Path.Combine(run.Folder, "adapter_config.json"), fields.ToJsonString());
        var tensors = sites.SelectMany(s => new[]
        {
            ($"base_model.model.{s.Name}.lora_A.weight", zeros(2, s.InFeatures)),
            ($"base_model.model.{s.Name}.lora_B.weight", zeros(s.OutFeatures, 2)),
        }).ToList();
        if (fields["modules_to_save"] is not null) tensors.Add(("base_model.model.lm_head.weight", run.Model.Network.OutputWeight.Dense!));
        SafetensorsWriter.Write(Path.Combine(run.Folder, "adapter_model.safetensors"), tensors);
    }
}
