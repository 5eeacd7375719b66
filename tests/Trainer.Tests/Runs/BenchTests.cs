using System.Diagnostics;
using System.Text.Json;
using Graft.Modeling;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Runs;

/// <summary>Programs whose standard output other programs read, and the verb <c>convert</c>, as processes.</summary>
[Collection(TorchCollection.Name)]
public sealed class BenchTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("load --layers 1 --rounds 1", "load.safetensors_bf16.as_stored.ratio", "load.gguf_q8_0.read")]
    [InlineData("tokenize --megabytes 1 --rounds 1", "tokenize.characters", "tokenize.tokens")]
    [InlineData("generate --tokens 2 --rounds 1 --precision BF16 --batch 1", "generate.bf16.batch1.plain",
        "generate.bf16.batch1.threads2.ratio")]
    public void A_bench_prints_its_figures_as_json_and_nothing_else(string verb, params string[] expected)
    {
        var (code, output, error) = Run("graft-trainer", ["bench", .. verb.Split(' '), "--json"]);

        Assert.True(code == 0, error);
        var figures = JsonDocument.Parse(output).RootElement.EnumerateArray().ToList();
        Assert.All(figures, f => Assert.Equal(["name", "value", "unit"], f.EnumerateObject().Select(p => p.Name)));
        Assert.All(figures, f => Assert.True(f.GetProperty("value").GetDouble() > 0, f.ToString()));
        Assert.All(figures, f => Assert.NotEmpty(f.GetProperty("unit").GetString()!));
        var names = figures.Select(f => f.GetProperty("name").GetString()!).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.Subset(names.ToHashSet(), expected.ToHashSet());
    }

    [Theory]
    [InlineData("load --rounds 0", "--rounds must be at least 1")]
    [InlineData("load --layers 0", "--layers must be at least 1")]
    [InlineData("tokenize --megabytes 0", "--megabytes must be at least 1")]
    [InlineData("generate --tokens 0", "--tokens must be at least 1")]
    public void A_bench_of_nothing_is_refused(string verb, string expected)
    {
        var (code, output, error) = Run("graft-trainer", ["bench", .. verb.Split(' '), "--json"]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_benchmarks_names_all_its_verbs()
    {
        var (code, output, error) = Run("graft-bench", ["list"]);

        Assert.True(code == 0, error);
        var listed = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]).ToList();
        var help = Run("graft-bench", ["--help"]).Output;
        var verbs = help[(help.IndexOf("Commands:", StringComparison.Ordinal) + 9)..].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l[2] != ' ').Select(l => l.Trim().Split(' ')[0]);
        Assert.Equal(verbs.Where(v => v != "list").Order(), listed.Order());
        Assert.Contains("sizes", listed);
    }

    [Fact]
    public void Convert_writes_a_file_from_a_folder_and_a_folder_from_a_file()
    {
        var model = Repository.Sample("quickstart", "model");
        var (there, said, error) = Run("graft-trainer", ["convert", "--model", model, "--output", folder["m.gguf"], "--type", "F32"]);
        Assert.True(there == 0, error);
        Assert.Equal($"wrote {folder["m.gguf"]}", said.Trim());
        var (back, _, problem) = Run("graft-trainer", ["convert", "--model", folder["m.gguf"], "--output", folder["back"]]);
        Assert.True(back == 0, problem);

        const string text = "Where is my parcel?";
        Assert.Equal(Score(model, text), Score(folder["m.gguf"], text));
        Assert.Equal(Score(model, text), Score(folder["back"], text));
        // Nothing half made is left.
        Assert.Empty(Directory.GetFileSystemEntries(folder[""], ".*"));
    }

    [Theory]
    [InlineData(2, "--type is 'Q9'", "--model MODEL --output new.gguf --type Q9")]
    [InlineData(2, "convert goes from a folder", "--model MODEL --output folder")]
    [InlineData(4, "no-such.gguf", "--model no-such.gguf --output folder")]
    [InlineData(6, "is there already", "--model MODEL --output there.gguf")]
    public void What_cannot_be_converted_is_named_with_the_exit_code_of_its_class(int code, string expected, string options)
    {
        folder.Write("there.gguf", "mine");
        var (actual, _, error) = Run("graft-trainer", ["convert", .. options.Split(' ').Select(o => o switch
        {
            "MODEL" => Repository.Sample("quickstart", "model"),
            _ when o.Contains('.', StringComparison.Ordinal) || o == "folder" => folder[o],
            _ => o,
        })]);

        Assert.True(code == actual, error);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(folder["there.gguf"]));
        Assert.False(Path.Exists(folder["folder"]) || Path.Exists(folder["new.gguf"]));
    }

    private static IReadOnlyList<double> Score(string path, string text)
    {
        using var model = BaseModel.Load(path, new LoadOptions(CPU, ScalarType.Float32));
        return new TextGenerator(model).Score(model.Tokenizer.Encode(text));
    }

    /// <summary>A program's exit code, and what it wrote to each stream.</summary>
    private (int Code, string Output, string Error) Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{program}.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder[""],
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Deadline))
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
