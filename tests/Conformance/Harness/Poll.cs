using System.Diagnostics;

namespace Graft.Conformance.Harness;

internal static class Poll
{
    /// <summary>After this long something that has to happen is taken for not happening: generous, because machines are slow.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks until the answer is yes; fails at the limit, naming what was waited for.</summary>
    public static Task UntilAsync(string what, Func<Task<bool>> ask) => UntilAsync(what, Limit, ask);

    public static async Task UntilAsync(string what, TimeSpan limit, Func<Task<bool>> ask)
    {
        var clock = Stopwatch.StartNew();
        while (!await ask())
        {
            if (clock.Elapsed > limit)
                Assert.Fail($"waited {limit.TotalSeconds} s for: {what}");
            await Task.Delay(Pause);
        }
    }
}
