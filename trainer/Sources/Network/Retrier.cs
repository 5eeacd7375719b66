using System.Globalization;

namespace Graft.Sources.Network;

/// <summary>Tries again what failed for no person's fault, with growing waits, or as long a wait as the other side asks for.</summary>
internal sealed class Retrier(TransferOptions options, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Random spread = new(options.Seed);

    /// <param name="work">Is given the number of the attempt; one that made progress may say so with <see cref="Attempt.Reset"/>.</param>
    /// <exception cref="SourceException">The last attempt's, or the first that is not worth another.</exception>
    public async Task<T> RunAsync<T>(Func<Attempt, Task<T>> work, CancellationToken cancellation)
    {
        var attempt = new Attempt();
        while (true)
        {
            try
            {
                return await work(attempt);
            }
            catch (SourceException e) when (e.Fault == SourceFault.Unreachable)
            {
                attempt.Failed();
                if (attempt.Failures >= options.Attempts) throw;
                var wait = e.RetryAfter ?? Backoff(attempt.Failures);
                if (wait > options.LongestDelay)
                    throw new SourceException(e.Fault, string.Create(CultureInfo.InvariantCulture,
                        $"{e.Message}; it asks to come back in {Math.Ceiling(wait.TotalSeconds)} s"), e) { RetryAfter = wait };
                await Task.Delay(wait, time, cancellation);
            }
        }
    }

    // Twice as long each time, and between half and all of that.
    private TimeSpan Backoff(int failures)
    {
        double share;
        lock (gate) share = 0.5 + spread.NextDouble() / 2;
        var full = options.FirstDelay * Math.Pow(2, Math.Min(failures - 1, 16));
        return (full < options.LongestDelay ? full : options.LongestDelay) * share;
    }
}

/// <summary>Counts the failures in a row of one piece of work.</summary>
internal sealed class Attempt
{
    public int Failures { get; private set; }

    /// <summary>Something arrived: what fails from here on is a new failure.</summary>
    public void Reset() => Failures = 0;

    public void Failed() => Failures++;
}
