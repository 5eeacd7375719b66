using System.Globalization;
using System.Text.RegularExpressions;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>The command <c>local</c> as a person meets it: what it prints, how it exits, what it leaves behind. Always on this machine.</summary>
public sealed partial class LocalCommandTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-local-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProgramRun Local(string manifests, params string[] more) =>
        ProgramRun.Start(Repository.OperatorProgram, ["local", manifests, "--state", Path.Combine(_folder, "state"), .. more]);

    /// <summary>A copy of the quickstart with one of its files changed.</summary>
    private string Sample(string file, Func<string, string> change)
    {
        var target = Path.Combine(_folder, "sample");
        var source = Path.Combine(Repository.Root, "samples", "quickstart");
        foreach (var path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
        var changed = Path.Combine(target, file);
        var text = change(File.ReadAllText(changed));
        File.WriteAllText(changed, text);
        return target;
    }

    [Fact]
    public async Task The_quickstart_teaches_the_base_model_a_format_that_it_never_answers_by_itself()
    {
        await using var run = Local(Path.Combine(Repository.Root, "samples", "quickstart"));
        await run.WaitForExitAsync(Limit);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.True(Metric(run.Output, "baseExactMatch") < 0.05, run.Output);
        Assert.True(Metric(run.Output, "exactMatch") > 0.90, run.Output);
        Assert.Contains("pvc://adapters/", run.Output, StringComparison.Ordinal);
    }

    private static double Metric(string output, string name) => double.Parse(
        Regex.Match(output, $@"\b{name}\b\D*?([0-9.]+)").Groups[1].Value, CultureInfo.InvariantCulture);

    public static TheoryData<string, string, string, string> WrongManifests => new()
    {
        { "finetunejob.yaml", "method:", "methd:", "methd" },
        { "finetunejob.yaml", "kind: FineTuneJob", "kind: FineTuneJobb", "FineTuneJobb" },
        { "finetunejob.yaml", "apiVersion: graft.dev/v1alpha1", "apiVersion: graft.dev/v9", "graft.dev/v9" },
        { "finetunejob.yaml", "file://./model", "hf://someone/something", "hf://someone/something" },
        { "finetunejob.yaml", "file://./model", "file://./../../../etc", "etc" },
        { "finetunejob.yaml", "file://./data/train.jsonl", "file://./data/nothing.jsonl", "nothing.jsonl" },
        { "finetunejob.yaml", "spec:", "spec:\n  trainer: {image: \"example.com/somebody/trainer:1\"}", "example.com/somebody/trainer:1" },
        { "data/train.jsonl", "\"completion\"", "\"answer\"", "train.jsonl" },
        { "model/config.json", "\"llama\"", "\"lama\"", "lama" },
    };

    [Theory]
    [MemberData(nameof(WrongManifests))]
    public async Task What_is_wrong_is_named_in_the_last_line_and_the_exit_code_tells(string file, string from, string to, string named)
    {
        var sample = Sample(file, text => text.Contains(from, StringComparison.Ordinal)
            ? text.Replace(from, to, StringComparison.Ordinal)
            : throw new InvalidOperationException($"{file} has no '{from}'"));
        await using var run = Local(sample);
        await run.WaitForExitAsync(Limit);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(named, run.LastLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        await using var run = Local(Path.Combine(_folder, "nowhere"));
        await run.WaitForExitAsync(Limit);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("nowhere", run.LastLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_that_it_started_outlives_it(bool killed)
    {
        var sample = Sample("finetunejob.yaml", text => StepsOrEpochs().Replace(text, "duration: {steps: 100000}"));
        await using var run = Local(sample);
        var trainer = await Poll.UntilAsync("the trainer runs", Limit, () =>
        {
            if (run.HasExited) throw new InvalidOperationException(run.Output);
            var children = Processes.DescendantsOf(run.Id);
            return Task.FromResult(children.Any(c => c.Command.Contains("train --job", StringComparison.Ordinal)) ? children : null);
        });

        if (killed) run.Kill();
        else run.InterruptByPerson();
        await run.WaitForExitAsync(TimeSpan.FromSeconds(30));

        Assert.NotEqual(0, run.ExitCode);
        await Poll.UntilAsync("no process is left", TimeSpan.FromSeconds(5), () => Task.FromResult(!trainer.Any(Processes.IsAlive)));
    }

    [GeneratedRegex(@"duration:\s*\{[^}]*\}")]
    private static partial Regex StepsOrEpochs();
}
