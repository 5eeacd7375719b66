using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Graft.Modeling;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Runs;

/// <summary>The verbs beside <c>train</c>, as processes.</summary>
[Collection(TorchCollection.Name)]
public sealed class VerbTests : IDisposable
{
    private static readonly string Model = Repository.Sample("quickstart", "model");
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Evaluate_measures_base_and_adapter_as_the_run_that_trained_it_did()
    {
        var (code, said, result) = TrainerProcess.Train(folder, TinyJob.In(folder));
        Assert.True(code == 0, said);
        var trained = result.Artifact!.Metrics;

        var tuned = Evaluate("--model", Model, "--adapter", folder["artifact"], "--data", folder["validation.jsonl"], "--precision", "F32");
        var plain = Evaluate("--model", Model, "--data", folder["validation.jsonl"], "--precision", "F32", "--max-rows", "3");

        Assert.Equal(trained["loss"], tuned.GetProperty("loss").GetDouble(), 1e-4);
        Assert.Equal(trained["exactMatch"], tuned.GetProperty("exactMatch").GetDouble());
        Assert.Equal(4, tuned.GetProperty("rows").GetInt32());
        Assert.Equal(3, plain.GetProperty("rows").GetInt32());
        Assert.True(plain.GetProperty("loss").GetDouble() > tuned.GetProperty("loss").GetDouble() + 1);
    }

    [Fact]
    public void Evaluate_reads_the_columns_that_it_is_told()
    {
        var renamed = File.ReadLines(Repository.Sample("quickstart", "data", "validation.jsonl")).Take(4)
            .Select(l => l.Replace("\"prompt\"", "\"question\"", StringComparison.Ordinal))
            .Select(l => l.Replace("\"completion\"", "\"reply\"", StringComparison.Ordinal));
        folder.Write("renamed.jsonl", string.Join("\n", renamed));
        TinyJob.In(folder);

        var one = Evaluate(
            "--model", Model, "--data", folder["renamed.jsonl"], "--prompt-column", "question", "--completion-column", "reply");
        var other = Evaluate("--model", Model, "--data", folder["validation.jsonl"]);

        Assert.Equal(other.GetProperty("loss").GetDouble(), one.GetProperty("loss").GetDouble());
    }

    [Fact]
    public void Generate_answers_each_prompt_in_a_paragraph_as_the_model_does()
    {
        string[] prompts = ["I was charged twice for the kettle.", "This is urgent."];
        using var model = BaseModel.Load(Model, new LoadOptions(CPU, ScalarType.Float32));
        var texts = prompts.Select(p => model.ChatTemplate!.Render([new ChatMessage("user", p)], addGenerationPrompt: true));
        var expected = new TextGenerator(model).GenerateBatch(
            [.. texts.Select(t => model.Tokenizer.Encode(t))], new SamplingOptions(24)).Select(r => r.Text);

        var (code, output) = Run("generate", "--model", Model, "--prompt", prompts[0], "--prompt", prompts[1], "--max-tokens", "24",
            "--precision", "F32");

        Assert.True(code == 0, output);
        Assert.Equal(string.Join("\n\n", expected), output.TrimEnd('\n'));
    }

    [Fact]
    public void Quantization_is_an_option_of_what_opens_a_model()
    {
        TinyJob.In(folder);
        double Loss(params string[] more) =>
            Evaluate(["--model", Model, "--data", folder["validation.jsonl"], "--precision", "F32", .. more]).GetProperty("loss").GetDouble();

        var (plain, none, packed) = (Loss(), Loss("--quantization", "none"), Loss("--quantization", "nf4"));
        var (code, said) = Run("generate", "--model", Model, "--prompt", "Hello", "--quantization", "int3");

        Assert.Equal(plain, none);
        Assert.NotEqual(plain, packed);
        Assert.Equal(plain, packed, 0.5);
        Assert.NotEqual(0, code);
        Assert.Contains("int3", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_answers_with_the_adapter_without_the_template_and_by_chance_with_a_seed()
    {
        var job = TinyJob.In(folder) with { Evaluation = null };
        Assert.Equal(0, TrainerProcess.Train(folder, job).ExitCode);
        string Answer(params string[] more)
        {
            var (code, output) = Run(["generate", "--model", Model, "--prompt", "Where is my parcel?", "--max-tokens", "16", .. more]);
            Assert.True(code == 0, output);
            return output;
        }

        var plain = Answer();
        Assert.NotEqual(plain, Answer("--adapter", folder["artifact"]));
        Assert.NotEqual(plain, Answer("--raw"));
        var drawn = Answer("--temperature", "2", "--seed", "1");
        Assert.Equal(drawn, Answer("--temperature", "2", "--seed", "1"));
        Assert.NotEqual(drawn, Answer("--temperature", "2", "--seed", "2"));
        // Each of these leaves only the most likely token.
        Assert.Equal(plain, Answer("--temperature", "2", "--seed", "1", "--top-k", "1"));
        Assert.Equal(plain, Answer("--temperature", "2", "--seed", "1", "--top-p", "1e-9"));
        Assert.Equal(plain, Answer("--temperature", "2", "--seed", "1", "--min-p", "1"));
        Assert.NotEqual(plain, Answer("--repetition-penalty", "5"));
        var words = plain.Trim().Split(' ');
        Assert.Equal(words[0] + " " + words[1], Answer("--stop", "nowhere in it", "--stop", " " + words[2]).Trim());
    }

    [Theory]
    [InlineData(2, "--prompt-column and --completion-column belong together", "evaluate --model MODEL --data none.jsonl --prompt-column a")]
    [InlineData(2, "'--data' is required", "evaluate --model MODEL")]
    [InlineData(3, "none.jsonl: no such file", "evaluate --model MODEL --data none.jsonl")]
    [InlineData(4, "no-such-adapter: no such folder; --adapter", "generate --model MODEL --adapter no-such-adapter --prompt x")]
    [InlineData(4, "no-such-model", "generate --model no-such-model --prompt x")]
    [InlineData(2, "--max-tokens must be at least 1", "generate --model MODEL --prompt x --max-tokens 0")]
    [InlineData(2, "--temperature must be at least 0", "generate --model MODEL --prompt x --temperature -1")]
    [InlineData(2, "--top-k must be at least 0", "generate --model MODEL --prompt x --top-k -1")]
    [InlineData(2, "--top-p must be above 0 and at most 1", "generate --model MODEL --prompt x --top-p 0")]
    [InlineData(2, "--top-p must be above 0 and at most 1", "generate --model MODEL --prompt x --top-p 1.5")]
    [InlineData(2, "--top-p must be above 0 and at most 1", "generate --model MODEL --prompt x --top-p NaN")]
    [InlineData(2, "--min-p must be from 0 to 1", "generate --model MODEL --prompt x --min-p 1.5")]
    [InlineData(2, "--repetition-penalty must be above 0 and at most 100", "generate --model MODEL --prompt x --repetition-penalty 0")]
    [InlineData(2, "--stop must not be empty", "generate --model MODEL --prompt x --stop ")]
    [InlineData(2, "--max-rows must be at least 1", "evaluate --model MODEL --data none.jsonl --max-rows 0")]
    [InlineData(2, "--max-length must be at least 2", "evaluate --model MODEL --data none.jsonl --max-length 1")]
    public void What_is_wrong_is_named_with_the_exit_code_of_its_class(int code, string expected, string command)
    {
        var (actual, output) = Run([.. command.Split(' ').Select(a => a == "MODEL" ? Model : a)]);

        Assert.True(code == actual, output);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Graft.", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_opens_what_the_cache_holds_of_a_bucket()
    {
        var (reference, revision) = (Key("Model tiny"), new string('a', 64));
        var repository = folder["cache", "graft", $"s3--models--{Key("")}"];
        var files = Directory.GetFiles(Model).Select(f => Path.GetFileName(f)).ToList();
        foreach (var part in (string[])["blobs", "refs", ".graft", $"snapshots/{revision}"])
            Directory.CreateDirectory(Path.Combine(repository, part));
        foreach (var file in files)
        {
            File.Copy(Path.Combine(Model, file), Path.Combine(repository, "blobs", Key(file)));
            File.CreateSymbolicLink(Path.Combine(repository, "snapshots", revision, file), $"../../blobs/{Key(file)}");
        }
        File.WriteAllText(Path.Combine(repository, "refs", reference), revision);
        File.WriteAllLines(Path.Combine(repository, ".graft", $"{revision}-{Key(reference)}"), ["", .. files]);
        string[] arguments = ["generate", "--model", "s3://models/tiny", "--prompt", "Hi", "--max-tokens", "4"];
        using var run = TrainerProcess.Start(folder, arguments, null, ("GRAFT_CACHE_DIR", folder["cache"]),
            ("HF_HUB_OFFLINE", "1"));

        Assert.True(run.Wait() == 0, run.Output);
        static string Key(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    private (int Code, string Output) Run(params string[] arguments) => TrainerProcess.Run(folder, arguments);

    private JsonElement Evaluate(params string[] arguments)
    {
        var (code, output) = Run(["evaluate", .. arguments]);
        Assert.True(code == 0, output);
        return JsonDocument.Parse(output).RootElement;
    }
}
