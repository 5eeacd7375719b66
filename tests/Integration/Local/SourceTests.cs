using Graft.Integration.Harness;

namespace Graft.Integration.Local;

/// <summary>Models, data and programs that lie elsewhere than a fresh clone has them.</summary>
public sealed class SourceTests : LocalTests
{
    [Fact]
    public async Task Public_sources_in_manifests_are_taken_from_the_folders_that_options_name()
    {
        var sample = ShortSample();
        var (model, data) = (Path.Combine(Folder, "tiny"), Path.Combine(Folder, "rows.jsonl"));
        Directory.Move(Path.Combine(sample, "model"), model);
        File.Move(Path.Combine(sample, "data", "train.jsonl"), data);
        Sample.Change(sample, "finetunejob.yaml", "file://./model", "hf://graft/tiny@main");
        Sample.Change(sample, "adapterdeployment.yaml", "file://./model", "hf://graft/tiny@main");
        Sample.Change(sample, "finetunejob.yaml", "file://./data/train.jsonl", "https://example.com/rows?format=jsonl");
        await using var run = Start(
            sample, "--model-source", $"hf://graft/tiny@main={model}", "--data-source", $"https://example.com/rows?format=jsonl={data}");
        await EndAsync(run);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("trained 4 steps", run.Output, StringComparison.Ordinal);
        Assert.Contains("base (support)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_published_operator_finds_its_programs_by_option_and_keeps_its_state_where_it_is_started()
    {
        var published = CopyOfOperator();
        var sample = ShortSample();
        // One is named by its folder, one by its file.
        string[] programs =
            ["--trainer-program", Repository.Output("Trainer"), "--server-program", Repository.Output("Server", "graft-server.dll")];
        await using var run = ProgramRun.Start(published, ["local", sample, .. programs], workingFolder: Folder);
        await EndAsync(run);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("base (support)", run.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Folder, ".graft", "sample", "operator.log")));
    }

    [Fact]
    public async Task A_published_operator_without_programs_says_which_option_names_them()
    {
        await using var run = ProgramRun.Start(CopyOfOperator(), ["local", ShortSample()], workingFolder: Folder);
        await EndAsync(run);

        AssertFails(run, "--trainer-program");
    }

    [Fact]
    public void Nothing_of_libtorch_lies_in_the_operators_output()
    {
        var files = Directory.EnumerateFiles(Repository.Output("Operator"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetFileName(f)).ToList();

        Assert.Contains("graft-operator.dll", files);
        Assert.DoesNotContain(files, f => f.Contains("torch", StringComparison.OrdinalIgnoreCase));
        // SQLite keeps the objects of `local --keep --state`; nothing else is native.
        Assert.DoesNotContain(files, f => f.EndsWith(".so", StringComparison.Ordinal) && f != "libe_sqlite3.so");
        Assert.DoesNotContain("Graft.Modeling.dll", files);
    }

    private string CopyOfOperator()
    {
        var (source, target) = (Repository.Output("Operator"), Path.Combine(Folder, "opt", "graft"));
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return Path.Combine(target, "graft-operator");
    }
}
