using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary>
/// A method that does not fit its base, and an adapter that does not: one sentence, its exit code, and both before the base's weights are
/// loaded. Bases without a tokenizer show the latter, because loading one would complain of that first.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed class BadAdapterTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, string> Methods => new()
    {
        {
            "near miss", "method.lora.targets.modules: 'q_prj' matches no linear layer of the model. Did you mean 'q_proj'? There are: "
        },
        { "several near", "'x_proj' matches no linear layer of the model. Did you mean 'k_proj' or 'o_proj' or 'q_proj' or 'v_proj'?" },
        { "rank", "method.lora.rank is 400, but model.layers.0.self_attn.q_proj is only " },
        { "positions", "method.promptTuning.virtualTokens is 511, but the model takes 512 tokens in all, which leaves no room for text; "
            + "it can be at most 510." },
        { "prefix", "method.prefixTuning.virtualTokens is 511, but the model takes 512 tokens in all" },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_method_that_does_not_fit_the_model_is_told_before_its_weights_are_loaded(string what, string message)
    {
        Method Lora(int rank, params string[] modules) => new()
        {
            Lora = new LoraMethod(
                modules is [] ? new LoraTargets { AllLinear = new AllLinear() } : new LoraTargets { Modules = modules }, rank),
        };
        var model = TinyJob.CopyOfModel(folder);
        File.Delete(Path.Combine(model, "tokenizer.json"));
        var job = TinyJob.In(folder);
        job = job with
        {
            Model = new ModelInput("file://./model", model, Precision.F32),
            Data = job.Data with { MaxLength = 1000 },
            Method = what switch
            {
                "near miss" => Lora(4, "q_prj"),
                "several near" => Lora(4, "x_proj"),
                "rank" => Lora(400),
                "positions" => new Method { PromptTuning = new PromptTuningMethod(511) },
                _ => new Method { PrefixTuning = new PrefixTuningMethod(511) },
            },
        };

        var (code, output, result) = TrainerProcess.Train(folder, job);

        Assert.True(code == ExitCodes.Of(FailureClass.InvalidJob), output);
        Assert.Equal(FailureClass.InvalidJob, result.Failure!.Class);
        Assert.Contains(message, result.Failure.Message, StringComparison.Ordinal);
        Assert.Contains(message, output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["artifact"]));
    }

    [Fact]
    public void Virtual_tokens_that_leave_no_room_in_the_rows_are_told_by_the_job_alone()
    {
        var job = TinyJob.In(folder) with { Method = new Method { PromptTuning = new PromptTuningMethod(127) } };

        var (code, output, result) = TrainerProcess.Train(folder, job);

        Assert.True(code == ExitCodes.Of(FailureClass.InvalidJob), output);
        Assert.Contains("method.promptTuning.virtualTokens", result.Failure!.Message, StringComparison.Ordinal);
        Assert.Contains("is 127, which leaves no room for text; must be below data.maxLength (128) less 1", result.Failure.Message,
            StringComparison.Ordinal);
    }

    public static TheoryData<string, string[]> Adapters => new()
    {
        // Every tensor at once, those of all layers in one group.
        {
            "another base",
            [
                "model.layers.{0-1}.self_attn.q_proj.lora_B.weight' is [64, 4], but base model and configuration ask "
                    + "for [128, 4] (2 tensors)",
                "model.layers.{0-1}.self_attn.o_proj.lora_A.weight' is [4, 64], but base model and configuration ask "
                    + "for [4, 128] (2 tensors)",
            ]
        },
        { "hash", ["is not the artifact that its manifest.json describes", "adapter_model.safetensors has the digest"] },
        { "pickle", ["has its weights in adapter_model.bin", "a pickle", "safe_serialization=True"] },
        { "target", ["target_modules: 'q_prj' matches no linear layer of the model. Did you mean 'q_proj'?"] },
        { "rank", ["lora_A.weight' is [4, 64], but base model and configuration ask for [400, 64]"] },
        { "positions", ["which leaves no room for text"] },
    };

    [Theory]
    [MemberData(nameof(Adapters))]
    public void An_adapter_that_cannot_be_loaded_is_told_before_the_weights_of_its_base(string what, string[] messages)
    {
        var adapter = Directory.CreateDirectory(folder["adapter"]).FullName;
        var original = Repository.Fixture("peft", what == "positions" ? "prompt_llama" : "lora_llama_all", "adapter_final");
        foreach (var file in Directory.GetFiles(original)) File.Copy(file, Path.Combine(adapter, Path.GetFileName(file)));
        var (weights, config) = (Path.Combine(adapter, ArtifactLayout.AdapterWeights), Path.Combine(adapter, ArtifactLayout.AdapterConfig));
        switch (what)
        {
            case "hash": File.WriteAllText(Path.Combine(adapter, ArtifactLayout.Manifest), Manifest(weights)); break;
            case "pickle": File.Move(weights, Path.Combine(adapter, "adapter_model.bin")); break;
            case "target": Edit(config, c => c["target_modules"] = new JsonArray("q_prj")); break;
            case "rank": Edit(config, c => c["r"] = 400); break;
            case "positions": Edit(config, c => c["num_virtual_tokens"] = 127); break;
        }
        // Has no tokenizer.
        var model = Repository.Fixture("models", what == "another base" ? "qwen3" : "llama");

        var (code, said) = TrainerProcess.Run(
            folder, "evaluate", "--model", model, "--adapter", adapter, "--data", folder.Write("rows.jsonl", "{}"), "--precision", "F32");

        Assert.True(code == ExitCodes.Of(FailureClass.ModelError), said);
        Assert.Single(said.TrimEnd().Split('\n'));
        Assert.All(messages, m => Assert.Contains(m, said, StringComparison.Ordinal));
        Assert.DoesNotContain("tokenizer", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_GGUF_adapter_of_another_base_is_told_before_the_weights_of_its_base()
    {
        var adapter = Directory.GetFiles(Repository.Fixture("gguf"), "adapter.gguf", SearchOption.AllDirectories).First();

        var (code, said) = TrainerProcess.Run(
            folder, "evaluate", "--model", Repository.Fixture("models", "gpt2"), "--adapter", adapter, "--data", "rows.jsonl");

        Assert.True(code == ExitCodes.Of(FailureClass.ModelError), said);
        Assert.Contains("is no LoRA of a gpt2 model", Assert.Single(said.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static void Edit(string path, Action<JsonNode> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    /// <summary>One that was written for other bytes of the same number.</summary>
    private static string Manifest(string weights) => JsonSerializer.Serialize(
        new ArtifactManifest
        {
            Name = "x", Kind = ArtifactKind.Adapter, JobDigest = Digests.Of([]), Job = Make.Job(),
            BaseModel = new BaseModelReference("file:///m", Digests.Of([])),
            Dataset = new DatasetReference([], Digests.Of([]), 1, 0, 1), Resolved = new ResolvedOptions(1, 1, Precision.F32, "cpu"),
            Facts = new AdapterFacts { Method = "lora", Dtype = "F32", TrainableParameters = 1, BaseDigest = Digests.Of([]) },
            Metrics = new Dictionary<string, double>(), Steps = 1, Created = DateTimeOffset.UnixEpoch, Producer = "test",
            Files = [new ArtifactFile(ArtifactLayout.AdapterWeights, new FileInfo(weights).Length, Digests.Of([]))],
        }, ContractJson.Default.ArtifactManifest);
}
