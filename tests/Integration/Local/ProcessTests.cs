using Graft.Integration.Harness;

namespace Graft.Integration.Local;

/// <summary>What <c>local</c> started ends with it, however it ends.</summary>
public sealed class ProcessTests : LocalTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_that_it_started_outlives_it(bool killed)
    {
        await using var run = Start(ShortSample(steps: 100_000));
        var children = await Poll.UntilAsync("the trainer runs", Limit, () =>
        {
            if (run.HasExited) throw new InvalidOperationException(run.Output);
            var all = Processes.DescendantsOf(run.Id);
            return Task.FromResult(all.Any(c => c.Command.Contains("train --job", StringComparison.Ordinal)) ? all : null);
        });

        if (killed) run.Kill();
        else run.InterruptByPerson();
        await run.WaitForExitAsync(TimeSpan.FromSeconds(30));

        Assert.NotEqual(0, run.ExitCode);
        await Poll.UntilAsync("no process is left", GoneLimit, () => Task.FromResult(!children.Any(Processes.IsAlive)));
    }
}
