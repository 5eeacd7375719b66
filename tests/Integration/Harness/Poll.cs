using System.Diagnostics;

namespace Graft.Integration.Harness;

internal static class Poll
{
    /// <summary>Asks until the answer is not null; fails at the limit, naming what was waited for and the last error.</summary>
    public static async Task<T> UntilAsync<T>(string what, TimeSpan limit, Func<Task<T?>> ask, Func<string>? state = null) where T : class
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < limit)
        {
            try
            {
                if (await ask() is { } answer) return answer;
                last = null;
            }
            catch (HttpRequestException error)
            {
                last = error;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
        throw new TimeoutException($"waited {limit.TotalSeconds} s for: {what}. {last?.Message} {state?.Invoke()}");
    }

    public static Task UntilAsync(string what, TimeSpan limit, Func<Task<bool>> ask, Func<string>? state = null) =>
        UntilAsync<object>(what, limit, async () => await ask() ? what : null, state);
}
