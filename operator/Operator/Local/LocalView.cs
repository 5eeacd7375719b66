using System.Globalization;
using Graft.Operator.Api;
using Spectre.Console;

namespace Graft.Operator.Local;

/// <summary>Shows how a run goes: bars on a terminal, a line for each change elsewhere.</summary>
internal sealed class LocalView(IAnsiConsole console, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);

    public async Task<LocalSnapshot> FollowAsync(Func<Action<LocalSnapshot>, Task<LocalSnapshot>> watch)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal) return await watch(WriteLines);
        return await console.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                    new SpinnerColumn())
            .StartAsync(async context =>
            {
                var bars = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
                return await watch(snapshot => MoveBars(context, bars, snapshot));
            });
    }

    public void Say(string line) => console.Profile.Out.Writer.WriteLine($"[{time.GetElapsedTime(_started).TotalSeconds,6:0.0}s] {line}");

    private static void MoveBars(ProgressContext context, Dictionary<string, ProgressTask> bars, LocalSnapshot snapshot)
    {
        foreach (var run in snapshot.Runs)
        {
            var bar = Bar("run/" + run.Metadata.Name);
            var state = run.Status?.Progress is { Step: > 0 } progress ? run.Status.Phase + Numbers(progress) : Phase(run);
            bar.Description = Markup.Escape($"{run.Metadata.Name}: {state}");
            bar.Value = run.Status?.Progress?.Percent ?? 0;
            if (run.Status?.Conditions.IsTrue(ConditionTypes.Succeeded) == true) bar.StopTask();
        }
        foreach (var deployment in snapshot.Deployments)
        {
            var bar = Bar("deployment/" + deployment.Metadata.Name);
            var wanted = Math.Max(1, deployment.Status?.Adapters?.Count ?? 1);
            bar.Description = Markup.Escape($"{deployment.Metadata.Name}: {Phase(deployment)}");
            bar.Value = 100.0 * (deployment.Status?.Adapters?.Count(a => a.Current is not null && a.Candidate is null) ?? 0) / wanted;
            if (deployment.Status?.Conditions.IsTrue(ConditionTypes.Ready) == true) bar.Value = 100;
        }

        ProgressTask Bar(string key) => bars.TryGetValue(key, out var bar) ? bar : bars[key] = context.AddTask(key, maxValue: 100);
    }

    private void WriteLines(LocalSnapshot snapshot)
    {
        foreach (var run in snapshot.Runs)
        {
            SayIfNew("run/" + run.Metadata.Name, $"{run.Metadata.Name}: {Phase(run)}");
            // A line for every tenth is enough to see that it moves.
            if (run.Status?.Progress is not { } progress || run.Status.Artifact is not null) continue;
            var tenth = (progress.Percent / 10).ToString(CultureInfo.InvariantCulture);
            SayIfNew("progress/" + run.Metadata.Name, $"{run.Metadata.Name}:{Numbers(progress)}", tenth);
        }
        foreach (var deployment in snapshot.Deployments)
            SayIfNew("deployment/" + deployment.Metadata.Name, $"{deployment.Metadata.Name}: {Phase(deployment)}");
    }

    private void SayIfNew(string key, string line, string? value = null)
    {
        value ??= line;
        if (_shown.TryGetValue(key, out var last) && last == value) return;
        _shown[key] = value;
        Say(line);
    }

    private static string Phase(FineTuneJob run) => Words(run.Status?.Phase, run.Status?.Conditions);

    private static string Phase(AdapterDeployment deployment) => Words(deployment.Status?.Phase, deployment.Status?.Conditions);

    private static string Words(string? phase, IEnumerable<k8s.Models.V1Condition>? conditions) =>
        phase is null ? "accepted" : $"{phase}, {conditions.Find(ConditionTypes.Ready)?.Message}";

    private static string Numbers(ProgressStatus? progress)
    {
        if (progress is null) return "";
        var loss = progress.Loss is null ? "" : $"  loss {progress.Loss}";
        var rate = progress.TokensPerSecond is { } r ? $"  {r} tokens/s" : "";
        var remaining = progress.Remaining is { } left ? $"  {left} left" : "";
        return $"  step {progress.Step}/{progress.Steps}{loss}{rate}{remaining}";
    }
}
