using Graft.Operator.Api;
using Graft.Operator.Local;
using Graft.Runtime;

namespace Graft.Operator.Tests;

public class LocalViewTests
{
    private static FineTuneJob Run(FineTuneJobStatus status)
    {
        var run = Make.FineTuneJob();
        run.Status = status;
        return run;
    }

    private static FineTuneJob Training(int step) => Run(new()
    {
        Phase = "Running",
        Conditions = [Conditions.New("Ready", false, "Running", "pod intents-abc trains")],
        Progress = new()
        {
            Step = step, Steps = 150, Percent = step * 100 / 150, Loss = "0.3100", TokensPerSecond = 6731, Remaining = "11s",
        },
    });

    private static AdapterDeployment Deployment(string phase, bool ready, string message)
    {
        var deployment = Make.AdapterDeployment();
        deployment.Status = new()
        {
            Phase = phase,
            Conditions = [Conditions.New("Ready", ready, phase, message)],
            Adapters = [new() { Name = "intents", Candidate = new() { State = CandidateState.Waiting } }],
        };
        return deployment;
    }

    private static async Task<string> ShownAsync(params LocalSnapshot[] snapshots)
    {
        var (console, text) = TextConsole.Create();
        await new LocalView(console, TimeProvider.System).FollowAsync(show =>
        {
            foreach (var snapshot in snapshots) show(snapshot);
            return Task.FromResult(snapshots[^1]);
        });
        return text();
    }

    [Fact]
    public async Task A_bar_shows_step_loss_speed_and_the_time_left()
    {
        var waiting = Deployment("Pending", false, "waiting for FineTuneJob 'intents' (Running)");
        var text = await ShownAsync(new([Make.FineTuneJob()], [waiting], []), new([Training(62)], [waiting], []));
        Assert.Contains("intents: Running  step 62/150  loss 0.3100  6731 tokens/s  11s left", text, StringComparison.Ordinal);
        Assert.Contains("41%", text, StringComparison.Ordinal);
        Assert.Contains("support: Pending, waiting for FineTuneJob 'intents' (Running)", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_the_first_step_a_bar_says_what_is_waited_for()
    {
        var loading = Conditions.New("Ready", false, "Running", "pod intents-abc loads the model");
        var run = Run(new() { Phase = "Running", Conditions = [loading] });
        var text = await ShownAsync(new LocalSnapshot([run], [], []));
        Assert.Contains("intents: Running, pod intents-abc loads the model", text, StringComparison.Ordinal);
        Assert.DoesNotContain("step", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_the_end_every_bar_is_full()
    {
        var text = await ShownAsync(
            new LocalSnapshot([Training(62)], [], []),
            new LocalSnapshot([Make.Trained()], [Deployment("Serving", true, "1 adapter in 1 pod")], []));
        // The screen is drawn again at times of its own: what counts is how each bar was drawn last.
        Assert.Contains("100%", Last("intents: "), StringComparison.Ordinal);
        Assert.Contains("100%", Last("support: Serving, 1 adapter in 1 pod"), StringComparison.Ordinal);

        string Last(string start) => text.Split('\n').Last(line => line.Contains(start, StringComparison.Ordinal));
    }
}
