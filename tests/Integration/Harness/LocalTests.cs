using System.Text.RegularExpressions;

namespace Graft.Integration.Harness;

/// <summary>
/// The command <c>local</c> as a person meets it: what it prints, how it exits, what it leaves behind. One at a time, on this machine.
/// </summary>
[Collection("local")]
[Trait("needs", "node")]
public abstract partial class LocalTests : IDisposable
{
    private protected static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>After this long nothing that a command started may be left.</summary>
    private protected static readonly TimeSpan GoneLimit = TimeSpan.FromSeconds(5);

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("graft-local-").FullName;
    private protected string State => Path.Combine(Folder, "state");

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected ProgramRun Start(string manifests, params string[] more) =>
        ProgramRun.Start(Repository.OperatorProgram, ["local", manifests, "--state", State, .. more]);

    /// <summary>Waits for the end, and for the end of everything that was started on the way.</summary>
    private protected static async Task EndAsync(ProgramRun run)
    {
        var started = new HashSet<(int Id, string Started, string Command)>();
        await Poll.UntilAsync("the command ends", Limit, () =>
        {
            started.UnionWith(Processes.DescendantsOf(run.Id));
            return Task.FromResult(run.HasExited);
        }, () => run.Output);
        await run.WaitForExitAsync(GoneLimit);
        await Poll.UntilAsync("no process is left", GoneLimit, () => Task.FromResult(!started.Any(Processes.IsAlive)),
            () => string.Join('\n', started.Where(Processes.IsAlive)));
    }

    /// <summary>A copy of the quickstart that trains only a few steps and is judged by a few rows.</summary>
    private protected string ShortSample(int steps = 4)
    {
        var sample = Sample.CopyTo(Path.Combine(Folder, "sample"));
        var job = Path.Combine(sample, "finetunejob.yaml");
        var text = Duration().Replace(File.ReadAllText(job), $"duration: {{steps: {steps}}}");
        Assert.Contains($"steps: {steps}", text, StringComparison.Ordinal);
        File.WriteAllText(job, text);
        var validation = Path.Combine(sample, "data", "validation.jsonl");
        File.WriteAllLines(validation, File.ReadLines(validation).Take(4).ToList());
        return sample;
    }

    /// <summary>The command failed, and its last line names what is wrong.</summary>
    private protected static void AssertFails(ProgramRun run, string named)
    {
        Assert.True(run.ExitCode != 0, run.Output);
        Assert.True(run.LastLine.Contains(named, StringComparison.Ordinal), $"'{named}' is not in the last line of:\n{run.Output}");
    }

    [GeneratedRegex(@"duration:\s*\{[^}]*\}")]
    private static partial Regex Duration();
}
