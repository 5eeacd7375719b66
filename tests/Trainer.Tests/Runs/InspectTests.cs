using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Runs;

/// <summary><c>graft-trainer inspect</c>, as a process.</summary>
[Collection(TorchCollection.Name)]
public sealed class InspectTests : IDisposable
{
    private static readonly string Peft = Repository.Fixture("peft", "lora_llama_all", "adapter_final");
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_of_PEFT_is_described_and_judged_without_libtorch()
    {
        using var run = TrainerProcess.Start(folder, ["inspect", Peft, "--json"], null, ("GRAFT_LIBTORCH", folder.Path));
        Assert.True(run.Wait() == 0, run.Output);
        var report = Report(run.Output);

        Assert.Equal((InspectedKind.PeftAdapter, "models/llama"), (report.Kind, report.BaseName));
        var facts = report.Facts!;
        Assert.Equal(("lora", 4, 4, 8.0, "F32"), (facts.Method, facts.Rank, facts.MaxRank, facts.Alpha, facts.Dtype));
        Assert.Equal(["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"], facts.Targets);
        Assert.Equal(new FileInfo(Path.Combine(Peft, ArtifactLayout.AdapterWeights)).Length, facts.Bytes);
        Assert.Equal(Enum.GetValues<ServingEngine>(), report.Engines.Select(e => e.Engine));
        Assert.Equal([true, true, false, true], report.Engines.Select(e => e.Loads));
    }

    [Fact]
    public void A_folder_of_AdapterHub_is_described_without_libtorch_too()
    {
        using var run = TrainerProcess.Start(
            folder, ["inspect", Repository.Fixture("peft", "bottleneck_pfeiffer_bert", "adapter_final"), "--json"], null,
            ("GRAFT_LIBTORCH", folder.Path));
        Assert.True(run.Wait() == 0, run.Output);
        var report = Report(run.Output);
        Assert.Equal((InspectedKind.AdapterHubAdapter, "bottleneck"), (report.Kind, report.Facts!.Method));
    }

    [Fact]
    public void The_exit_code_says_whether_the_engine_that_was_asked_will_serve_it()
    {
        Assert.Equal(0, Run(Peft, "--engine", "vllm").Code);
        var (code, said) = Run(Peft, "--engine", "vllm", "--engine", "graft", "--max-lora-rank", "1");
        Assert.Equal(ExitCodes.NotServed, code);
        Assert.Contains("start vLLM with --max-lora-rank 8", said, StringComparison.Ordinal);
        Assert.Contains("graft     will serve it", said, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Of(FailureClass.InvalidJob), Run(Peft, "--engine", "triton").Code);
    }

    [Fact]
    public void An_artifact_of_our_own_tells_where_it_comes_from_until_a_file_of_it_changes()
    {
        var (trained, output, result) = TrainerProcess.Train(folder, TinyJob.In(folder));
        Assert.True(trained == 0, output);
        var artifact = folder["artifact"];

        var report = Report(Run(artifact, "--json").Said);
        Assert.Equal((result.Artifact!.Digest, "tiny", 3), (report.Provenance!.Digest, report.Provenance.Name, report.Provenance.Steps));
        Assert.Equal(result.Artifact.Metrics, report.Provenance.Metrics);
        Assert.Equal(("llama", "CAUSAL_LM"), (report.Facts!.ModelType, report.Facts.Task));
        // What the trainer said of it is what its files say.
        Assert.Equal(JsonSerializer.Serialize(result.Artifact.Facts, ContractJson.Default.AdapterFacts),
            JsonSerializer.Serialize(report.Facts, ContractJson.Default.AdapterFacts));
        Assert.Equal(0, Run(artifact, "--engine", "graft", "--base", Repository.Sample("quickstart", "model")).Code);

        var weights = Path.Combine(artifact, ArtifactLayout.AdapterWeights);
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Refuses(artifact, $"{ArtifactLayout.AdapterWeights} has the digest");
        using var model = BaseModel.Load(Repository.Sample("quickstart", "model"), new LoadOptions(CPU, ScalarType.Float32));
        var refused = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", artifact));
        Assert.Contains("has the digest", refused.Message, StringComparison.Ordinal);
        File.Delete(weights);
        Refuses(artifact, $"{ArtifactLayout.AdapterWeights} is missing");
    }

    [Fact]
    public void A_base_that_it_was_not_made_for_is_refused_with_every_tensor_in_groups()
    {
        var (code, said) = Run(Peft, "--base", Repository.Fixture("models", "qwen3"), "--engine", "graft");
        Assert.Equal(ExitCodes.Of(FailureClass.ModelError), code);
        Assert.Contains("model.layers.{0-1}.self_attn.q_proj.lora_B.weight' is [64, 4], but base model and configuration ask "
            + "for [128, 4] (2 tensors)",
            said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pickle", "a pickle, which can run anything when it is read")]
    [InlineData("cut", "the file is cut short")]
    [InlineData("length", "its header says it is")]
    [InlineData("nothing", "is neither an adapter nor a model")]
    [InlineData("text", "give a folder, or a .gguf file")]
    [InlineData("absent", "is neither a model folder nor a file")]
    [InlineData("manifest", "manifest.json has version ''")]
    [InlineData("broken", "manifest.json cannot be read")]
    [InlineData("version", "manifest.json has version 'other'")]
    [InlineData("untyped", "peft_type is missing")]
    public void Bad_input_has_its_own_message(string what, string message)
    {
        var path = folder["bad"];
        Directory.CreateDirectory(path);
        var weights = Path.Combine(path, ArtifactLayout.AdapterWeights);
        foreach (var file in Directory.GetFiles(Peft)) File.Copy(file, Path.Combine(path, Path.GetFileName(file)));
        switch (what)
        {
            case "pickle": File.Move(weights, Path.Combine(path, "adapter_model.bin")); break;
            case "cut": File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^100]); break;
            case "length": File.WriteAllBytes(weights, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, (byte)'{']); break;
            case "nothing": foreach (var file in Directory.GetFiles(path)) File.Delete(file); break;
            case "text": path = folder.Write("some.txt", "text"); break;
            case "absent": path = folder["absent"]; break;
            case "broken": File.WriteAllText(Path.Combine(path, ArtifactLayout.Manifest), "{"); break;
            case "manifest": File.WriteAllText(Path.Combine(path, ArtifactLayout.Manifest), "{}"); break;
            case "version":
                var other = JsonSerializer.Serialize(Manifest() with { Version = "other" }, ContractJson.Default.ArtifactManifest);
                File.WriteAllText(Path.Combine(path, ArtifactLayout.Manifest), other);
                break;
            case "untyped": File.WriteAllText(Path.Combine(path, ArtifactLayout.AdapterConfig), "{}"); break;
        }
        Refuses(path, message);
    }

    [Fact]
    public void Files_for_llamacpp_and_whole_models_are_told_apart()
    {
        var lora = Directory.GetFiles(Repository.Fixture("gguf"), "adapter.gguf", SearchOption.AllDirectories).First();
        var adapter = Report(Run(lora, "--json").Said);
        Assert.Equal((InspectedKind.GgufAdapter, "lora"), (adapter.Kind, adapter.Facts!.Method));
        Assert.True(adapter.Engines.Single(e => e.Engine == ServingEngine.Llamacpp).Loads);
        Assert.False(adapter.Engines.Single(e => e.Engine == ServingEngine.Vllm).Loads);

        var model = Report(Run(Repository.Sample("quickstart", "model"), "--json").Said);
        Assert.Equal(InspectedKind.Model, model.Kind);
        Assert.Null(model.Facts);
    }

    [Theory]
    [InlineData("dora_llama", "DoRA")]
    [InlineData("lora_rank_pattern", "rank_pattern")]
    [InlineData("lora_gpt2", "gpt2", false)]
    [InlineData("lora_llama_seqcls", "classifies texts")]
    [InlineData("prompt_llama", "5 virtual tokens")]
    [InlineData("ia3_llama", "takes LoRA only")]
    public void What_vllm_will_not_take_is_seen_in_the_files(string name, string reason, bool refused = true)
    {
        var (code, said) = Run(Repository.Fixture("peft", name, "adapter_final"), "--engine", "vllm");
        // A folder of PEFT does not say what its base is; only asking with --base does.
        Assert.Equal(refused ? ExitCodes.NotServed : 0, code);
        Assert.Contains(refused ? reason : "architecture its base has is not known", said, StringComparison.Ordinal);
    }

    private static ArtifactManifest Manifest() => new()
    {
        Name = "x", Kind = ArtifactKind.Adapter, JobDigest = Digests.Of([]), Job = Make.Job(),
        BaseModel = new BaseModelReference("file:///m", Digests.Of([])),
        Dataset = new DatasetReference([], Digests.Of([]), 1, 0, 1), Resolved = new ResolvedOptions(1, 1, Precision.F32, "cpu"),
        Facts = new AdapterFacts { Method = "lora", Dtype = "F32", TrainableParameters = 1, BaseDigest = Digests.Of([]) },
        Metrics = new Dictionary<string, double>(), Files = [], Steps = 1, Created = DateTimeOffset.UnixEpoch, Producer = "test",
    };

    private void Refuses(string path, string message)
    {
        var (code, said) = Run(path);
        Assert.Equal(ExitCodes.Of(FailureClass.ModelError), code);
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    private (int Code, string Said) Run(string path, params string[] more) => TrainerProcess.Run(folder, ["inspect", path, .. more]);

    private static InspectionReport Report(string said) => JsonSerializer.Deserialize(said, ContractJson.Default.InspectionReport)!;
}
