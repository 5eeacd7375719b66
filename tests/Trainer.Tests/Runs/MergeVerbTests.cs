using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Runs;

/// <summary>The verbs that make something of adapters, as processes: <c>merge</c>, <c>combine</c> and <c>export</c>.</summary>
[Collection(TorchCollection.Name)]
public sealed class MergeVerbTests : IDisposable
{
    private static readonly string Model = Repository.Sample("quickstart", "model");
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_merged_folder_answers_as_base_and_adapter_with_its_tokenizer_and_where_it_comes_from()
    {
        var adapter = Adapter("a", 1);

        var said = Done("merge", "--model", Model, "--adapter", adapter, "--output", folder["merged"], "--type", "F32",
            "--prompt", "Where is my parcel?");

        Assert.Contains("largest logit difference", said, StringComparison.Ordinal);
        var files = Directory.GetFiles(folder["merged"]).Select(f => Path.GetFileName(f)!).ToHashSet();
        Assert.Superset(new HashSet<string> { "config.json", "model.safetensors", "tokenizer.json", "manifest.json" }, files);
        // The chat template lies in one of them, as it does in the base.
        Assert.All(Directory.GetFiles(Model).Select(Path.GetFileName).Where(f => f!.EndsWith(".jinja", StringComparison.Ordinal)),
            template => Assert.Contains(template!, files));
        Assert.Equal(Answer(Model, adapter), Answer(folder["merged"]));
        Assert.NotEqual(Answer(Model), Answer(folder["merged"]));
        var manifest = Manifest("merged");
        Assert.Equal(Model, manifest.BaseModel!.Source);
        Assert.Equal(adapter, Assert.Single(manifest.Adapters).Source);
        Assert.Equal(files.Count - 1, manifest.Files.Count);
        Assert.All(manifest.Files, f => Assert.Equal(Digests.OfFile(folder["merged", f.Name]), f.Digest));
    }

    [Fact]
    public void The_same_merge_gives_the_same_bytes()
    {
        string[] arguments = ["merge", "--model", Model, "--adapter", Adapter("a", 1), "--max-shard-size", "400KB", "--type", "BF16", "--output"];
        foreach (var output in (string[])["one", "other"]) Done([.. arguments, folder[output]]);

        var files = Directory.GetFiles(folder["one"]);
        Assert.True(files.Count(f => f.EndsWith(".safetensors", StringComparison.Ordinal)) > 2);
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(f), File.ReadAllBytes(folder["other", Path.GetFileName(f)])));
    }

    [Fact]
    public void A_merged_gguf_file_is_a_model_and_a_quantised_base_is_merged_only_where_it_may_become_a_full_one()
    {
        var adapter = Adapter("a", 1);
        Done("merge", "--model", Model, "--adapter", adapter, "--output", folder["full.gguf"], "--type", "F32");
        Assert.Equal(Answer(Model, adapter), Answer(folder["full.gguf"]));
        Done("merge", "--model", Model, "--adapter", adapter, "--output", folder["small.gguf"], "--type", "Q8_0");
        Assert.True(new FileInfo(folder["small.gguf"]).Length < new FileInfo(folder["full.gguf"]).Length / 2);
        string[] again = ["merge", "--model", folder["small.gguf"], "--adapter", adapter, "--output", folder["twice"]];

        var (code, said) = TrainerProcess.Run(folder, again);
        Assert.Equal(2, code);
        Assert.Contains("is quantised (Q8_0)", said, StringComparison.Ordinal);
        Assert.Contains("--dequantize", said, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["twice"]));
        Done([.. again, "--dequantize"]);
        Assert.True(File.Exists(folder["twice", "tokenizer.json"]));

        string[] packed = ["merge", "--model", Model, "--adapter", adapter, "--output", folder["nf4"], "--quantization", "nf4"];
        (code, said) = TrainerProcess.Run(folder, packed);
        Assert.Equal(2, code);
        Assert.Contains("is quantised (NF4)", said, StringComparison.Ordinal);
        Done([.. packed, "--dequantize"]);
    }

    [Fact]
    public void Several_adapters_are_combined_into_a_folder_or_at_once_into_the_base()
    {
        string[] both = ["--adapter", Adapter("a", 1), "--adapter", Adapter("b", 2), "--weights", "0.7,0.3"];
        Done(["combine", .. both, "--method", "cat", "--output", folder["both"]]);
        Done(["merge", "--model", Model, .. both, "--combine", "cat", "--output", folder["merged"], "--type", "F32"]);

        Assert.Equal(Answer(Model, folder["both"]), Answer(folder["merged"]));
        var manifest = Manifest("both");
        Assert.Equal(("cat", 0.3, ArtifactKind.Adapter), (manifest.Combination!.Method, manifest.Adapters[1].Weight, manifest.Kind));
        Done(["combine", .. both, "--method", "dare_ties", "--density", "0.4", "--seed", "3", "--output", folder["one"]]);
        Done(["combine", .. both, "--method", "dare_ties", "--density", "0.4", "--seed", "3", "--output", folder["other"]]);
        Assert.All(Directory.GetFiles(folder["one"]), f =>
            Assert.Equal(File.ReadAllBytes(f), File.ReadAllBytes(folder["other", Path.GetFileName(f)])));
    }

    [Fact]
    public void An_exported_adapter_is_loaded_as_the_folder_is()
    {
        var adapter = Adapter("a", 1);

        Done("export", "--adapter", adapter, "--model", Model, "--output", folder["a.gguf"]);

        Assert.Equal(Answer(Model, adapter), Answer(Model, folder["a.gguf"]));
    }

    [Fact]
    public void Above_the_bound_it_fails_and_leaves_nothing()
    {
        var adapter = Adapter("a", 1);

        var (code, said) = TrainerProcess.Run(
            folder, "merge", "--model", Model, "--adapter", adapter, "--output", folder["merged"], "--type", "BF16", "--max-difference", "0.0001");

        Assert.True(code == 4, said);
        Assert.Contains("0.0001 is the most allowed", said, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), e => e.Contains("merged", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2, "2 adapters are given: --combine must say", "merge --model MODEL --adapter A --adapter A --output OUT")]
    [InlineData(2, "--weights belongs to --combine", "merge --model MODEL --adapter A --weights 1 --output OUT")]
    [InlineData(2, "--weights is 'a'", "merge --model MODEL --adapter A --combine cat --weights a --output OUT")]
    [InlineData(2, "--density says nothing to cat", "merge --model MODEL --adapter A --combine cat --density 0.5 --output OUT")]
    [InlineData(2, "1 weights for 2 adapters", "combine --adapter A --adapter A --weights 1 --method cat --output OUT")]
    [InlineData(2, "--type is 'Q8_0'; for a folder", "merge --model MODEL --adapter A --output OUT --type Q8_0")]
    [InlineData(2, "--max-shard-size is '5apples'", "merge --model MODEL --adapter A --output OUT --max-shard-size 5apples")]
    [InlineData(2, "must end with .gguf", "export --model MODEL --adapter A --output OUT")]
    [InlineData(3, "none.txt: no such file", "merge --model MODEL --adapter A --output OUT --prompts none.txt")]
    [InlineData(4, "no-such-adapter: no such folder; --adapter", "merge --model MODEL --adapter no-such-adapter --output OUT")]
    [InlineData(6, "is there already", "merge --model MODEL --adapter A --output MODEL")]
    public void What_is_wrong_is_named_with_the_exit_code_of_its_class(int code, string expected, string command)
    {
        var adapter = Adapter("a", 1);

        var (actual, output) = TrainerProcess.Run(folder, [.. command.Split(' ').Select(a => a switch
        {
            "MODEL" => Model,
            "A" => adapter,
            "OUT" => folder["out"],
            _ => a,
        })]);

        Assert.True(code == actual, output);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Graft.", output, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["out"]));
    }

    [SkippableTheory]
    [InlineData("ro", "cannot be written")]
    [InlineData("size=64k", "No space left")]
    public void A_disk_that_is_read_only_or_full_is_named(string options, string expected)
    {
        Skip.IfNot(TrainerProcess.CanMount(), "this machine lets no process make mounts of its own");
        Directory.CreateDirectory(folder["disk"]);
        string[] arguments = ["merge", "--model", Model, "--adapter", Adapter("a", 1), "--output", folder["disk", "merged"]];

        using var run = TrainerProcess.Start(folder, arguments, $"mount -t tmpfs -o {options} tmpfs '{folder["disk"]}'");

        Assert.True(run.Wait() == 6, run.Output);
        Assert.Contains(folder["disk"], run.Output, StringComparison.Ordinal);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    private DerivedManifest Manifest(string name) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(folder[name, "manifest.json"]), ContractJson.Default.DerivedManifest)!;

    private string Done(params string[] arguments)
    {
        var (code, said) = TrainerProcess.Run(folder, arguments);
        Assert.True(code == 0, said);
        return said;
    }

    /// <summary>What is generated in a few tokens.</summary>
    private static string Answer(string path, string? adapterPath = null)
    {
        using var model = BaseModel.Load(path, new LoadOptions(CPU, ScalarType.Float32));
        using var adapter = adapterPath is null ? null : LoadedAdapter.Load(model, "a", adapterPath);
        var ids = model.Tokenizer.Encode("Where is my parcel?");
        return new TextGenerator(model).GenerateBatch([ids], new SamplingOptions(12), adapter)[0].Text;
    }

    /// <summary>A LoRA on all linear layers with values by chance.</summary>
    private string Adapter(string name, long seed)
    {
        Directory.CreateDirectory(folder[name]);
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = BaseModel.Load(Model, new LoadOptions(CPU, ScalarType.Float32));
        using var method = TuningMethods.Create(new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, Rank: 4) });
        using var rng = new Generator((ulong)seed);
        method.Attach(model, rng);
        foreach (var (_, parameter) in method.Trainable) parameter.add_(randn(parameter.shape, generator: rng), alpha: 0.05);
        method.Save(folder[name], model, "quickstart");
        return folder[name];
    }
}
