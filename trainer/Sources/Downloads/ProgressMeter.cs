namespace Graft.Sources.Downloads;

/// <summary>Adds up what several transfers do, and says so a few times a second.</summary>
internal sealed class ProgressMeter(IProgress<FetchProgress>? progress, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly Lock gate = new();
    private long total;
    private long done;
    private long said;

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
            now = new(Math.Min(done, total), total);
        }
        progress?.Report(now);
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
