namespace Graft.Sources.Downloads;

/// <summary>Adds up what several transfers do, and says so a few times a second.</summary>
internal sealed class ProgressMeter(IProgress<FetchProgress>? progress, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly Lock gate = new();
    private long total;
    private long done;
    private long said;
    private int waiting;

    public void Announce(long bytes)
    {
        lock (gate) total += bytes;
        Say(always: true);
    }

    public void Add(long bytes)
    {
        lock (gate) done += bytes;
        Say(always: false);
    }

    public void Finish()
    {
        lock (gate) done = total;
        Say(always: true);
    }

    /// <summary>The share of one file, which may have to begin again.</summary>
    public Share For(long already)
    {
        Add(already);
        return new(this, already);
    }

    private void Say(bool always)
    {
        FetchProgress now;
        lock (gate)
        {
            if (!always && said != 0 && time.GetElapsedTime(said) < Interval) return;
            said = time.GetTimestamp();
            now = new(Math.Min(done, total), total, waiting > 0);
        }
        progress?.Report(now);
    }

    /// <summary>A wait for another process. It is said from the first time that <see cref="Sees"/> is called until the end.</summary>
    internal sealed class Wait(ProgressMeter meter) : IDisposable
    {
        private bool begun;
        private long seen;

        /// <param name="bytes">How many the other process has by now.</param>
        public void Sees(long bytes)
        {
            var first = !begun;
            lock (meter.gate)
            {
                if (first) meter.waiting++;
                meter.done += bytes - seen;
            }
            (begun, seen) = (true, bytes);
            meter.Say(always: first);
        }

        /// <summary>What was seen counts no more: whoever waited counts next what is there now, and says it.</summary>
        public void Dispose()
        {
            if (!begun) return;
            lock (meter.gate)
            {
                meter.waiting--;
                meter.done -= seen;
            }
        }
    }

    internal sealed class Share(ProgressMeter meter, long already)
    {
        private long bytes = already;

        public void Add(long count)
        {
            Interlocked.Add(ref bytes, count);
            meter.Add(count);
        }

        public void Restart() => meter.Add(-Interlocked.Exchange(ref bytes, 0));
    }
}
