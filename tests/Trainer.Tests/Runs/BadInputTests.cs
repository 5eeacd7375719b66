using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary>Bad input ends the process with its class's exit code, a message that names what is wrong, and nothing left behind.</summary>
[Collection(TorchCollection.Name)]
public sealed class BadInputTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Fails(TrainingJob job, FailureClass expected)
    {
        var (code, output, result) = TrainerProcess.Train(folder, job);

        Assert.True(code == ExitCodes.Of(expected), output);
        Assert.Equal(expected, result.Failure!.Class);
        Assert.Null(result.Artifact);
        Assert.False(Directory.Exists(job.Output.Path));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path, ".*"));
        Assert.Contains(result.Failure.Message.TrimEnd('…'), output, StringComparison.Ordinal);
        return result.Failure.Message;
    }

    private static readonly Dictionary<string, Action<string>> SpoiltModels = new()
    {
        ["no folder"] = model => Directory.Delete(model, recursive: true),
        ["no weights"] = model => File.Delete(Path.Combine(model, "model.safetensors")),
        ["no tokenizer"] = model => File.Delete(Path.Combine(model, "tokenizer.json")),
        ["truncated weights"] = model =>
        {
            using var file = File.OpenWrite(Path.Combine(model, "model.safetensors"));
            file.SetLength(file.Length - 4096);
        },
        ["header of 10 GB"] = model =>
        {
            var length = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, 10_000_000_000);
            using var file = File.OpenWrite(Path.Combine(model, "model.safetensors"));
            file.Write(length);
        },
        ["tokenizer with ids past the vocabulary"] = model =>
        {
            var path = Path.Combine(model, "tokenizer.json");
            var tokenizer = JsonNode.Parse(File.ReadAllText(path))!;
            tokenizer["model"]!["vocab"]!["ttttt"] = 5000;
            File.WriteAllText(path, tokenizer.ToJsonString());
        },
        ["other shape"] = model => Edit(Path.Combine(model, "config.json"), c => c["hidden_size"] = 256),
        ["unknown architecture"] = model => Edit(Path.Combine(model, "config.json"), c => c["model_type"] = "mamba"),
    };

    private static void Edit(string path, Action<JsonNode> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    public static TheoryData<string, string> Models => new()
    {
        { "no folder", "model" },
        { "no weights", "model.safetensors" },
        { "no tokenizer", "tokenizer.json" },
        { "truncated weights", "model.safetensors" },
        { "header of 10 GB", "model.safetensors" },
        { "tokenizer with ids past the vocabulary", "tokenizer" },
        { "other shape", "weights" },
        { "unknown architecture", "mamba" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_that_cannot_be_read_is_named(string what, string named)
    {
        var model = TinyJob.CopyOfModel(folder);
        SpoiltModels[what](model);

        var message =
            Fails(TinyJob.In(folder) with { Model = new ModelInput("file://./model", model, Precision.F32) }, FailureClass.ModelError);

        Assert.Contains(named, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(400_000)]
    public void A_gguf_file_that_ends_too_early_is_named(int length)
    {
        var model = folder["cut.gguf"];
        File.WriteAllBytes(model, File.ReadAllBytes(Repository.Fixture("gguf", "byte_bpe-q4_0", "model.gguf"))[..length]);

        var message = Fails(TinyJob.In(folder) with { Model = new ModelInput("file://./cut.gguf", model) }, FailureClass.ModelError);

        Assert.Contains("cut.gguf", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "rows.jsonl is empty")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"\n", "rows.jsonl line 2: not one JSON object")]
    [InlineData("{\"prompt\": \"a\", \"completion\": \"\"}\n", "no supervised token in the training rows (rows.jsonl)")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n", "no supervised token in the training rows (rows.jsonl)")]
    public void Data_that_cannot_be_learnt_from_is_named(string text, string expected)
    {
        var rows = folder.Write("rows.jsonl", text);
        var job = TinyJob.In(folder) with { Data = new DataInput([new DataSource("rows.jsonl", rows)]), Evaluation = null };

        Assert.Contains(expected, Fails(job, FailureClass.DataError), StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_that_are_cut_off_say_what_to_raise()
    {
        var job = TinyJob.In(folder);

        var message = Fails(job with { Data = job.Data with { MaxLength = 4 } }, FailureClass.DataError);

        Assert.Contains("raise data.maxLength", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_not_touched()
    {
        var job = TinyJob.In(folder);
        folder.Write("artifact/precious", "x");

        var (code, _, result) = TrainerProcess.Train(folder, job);

        Assert.Equal((6, FailureClass.OutputError), (code, result.Failure!.Class));
        Assert.Contains(folder["artifact"], result.Failure.Message, StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(folder["artifact", "precious"]));
    }

    [Fact]
    public void A_command_line_that_cannot_be_understood_ends_with_the_code_of_a_wrong_job()
    {
        using var run = TrainerProcess.Start(folder, ["train", "--jobb", "x"]);

        Assert.Equal(2, run.Wait());
        Assert.Contains("--jobb", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("graft-trainer train --help says what there is", run.Output.TrimEnd(), StringComparison.Ordinal);
    }
}
