namespace Graft.Runtime;

/// <summary>An event as it is written: how often it happened, and the object that counts it when there is one.</summary>
internal sealed class EventRecord(string message)
{
    /// <summary>Null until the first write.</summary>
    public string? Name { get; private set; }

    public int Count { get; set; }

    public string Message { get; set; } = message;

    public DateTimeOffset? First { get; private set; }

    public void Created(string name, DateTimeOffset at)
    {
        Name = name;
        First ??= at;
    }
}

/// <summary>
/// Keeps events readable and cheap, with client-go's figures: at most 25 at once and then one per five minutes for an object; more
/// than 10 within ten minutes that differ only in their message are combined; equal ones are counted. Remembers the last 4096.
/// </summary>
internal sealed class EventCorrelator(TimeProvider time)
{
    private const int Burst = 25;
    private const int SimilarAtMost = 10;
    private const int Remembered = 4096;
    private static readonly TimeSpan Refill = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan SimilarWithin = TimeSpan.FromSeconds(600);
    private readonly LruCache<string, Bucket> _buckets = new(Remembered);
    private readonly LruCache<string, Similar> _similar = new(Remembered);
    private readonly LruCache<string, EventRecord> _records = new(Remembered);

    /// <summary>Null when the event is dropped as part of a flood.</summary>
    public EventRecord? Correlate(EventSubject subject, EventType type, string reason, string message)
    {
        var about = $"{subject.Kind}/{subject.Namespace}/{subject.Name}/{subject.Uid}/{subject.ApiVersion}";
        var kindOfEvent = $"{about}|{type}|{reason}";
        var combined = Combine(kindOfEvent, message);
        if (!TakeToken(about))
            return null;
        var record = _records.GetOrAdd(combined ? kindOfEvent : $"{kindOfEvent}|{message}", () => new EventRecord(message));
        record.Message = combined ? $"(combined from similar events): {message}" : message;
        record.Count++;
        return record;
    }

    private bool Combine(string key, string message)
    {
        var now = time.GetTimestamp();
        var similar = _similar.GetOrAdd(key, () => new Similar { Since = now });
        if (time.GetElapsedTime(similar.Since, now) > SimilarWithin)
            similar.Messages.Clear();
        similar.Since = now;
        if (similar.Messages.Count <= SimilarAtMost)
            similar.Messages.Add(message);
        return similar.Messages.Count > SimilarAtMost;
    }

    private bool TakeToken(string key)
    {
        var now = time.GetTimestamp();
        var bucket = _buckets.GetOrAdd(key, () => new Bucket { Tokens = Burst, At = now });
        bucket.Tokens = Math.Min(Burst, bucket.Tokens + time.GetElapsedTime(bucket.At, now) / Refill);
        bucket.At = now;
        if (bucket.Tokens < 1)
            return false;
        bucket.Tokens--;
        return true;
    }

    private sealed class Bucket
    {
        public double Tokens { get; set; }

        public long At { get; set; }
    }

    private sealed class Similar
    {
        public long Since { get; set; }

        public HashSet<string> Messages { get; } = [];
    }
}
