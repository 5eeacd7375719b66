namespace Graft.Trainer.Reporting;

/// <summary>Speed over the last steps, and what that means for the rest.</summary>
internal sealed class Throughput
{
    private const int Window = 16;
    private readonly Queue<(int Tokens, double Seconds)> recent = new();

    public double? TokensPerSecond { get; private set; }
    private double SecondsPerStep { get; set; }

    public void Add(int tokens, TimeSpan duration)
    {
        recent.Enqueue((tokens, duration.TotalSeconds));
        if (recent.Count > Window) recent.Dequeue();
        var seconds = recent.Sum(r => r.Seconds);
        TokensPerSecond = seconds > 0 ? recent.Sum(r => r.Tokens) / seconds : null;
        SecondsPerStep = seconds / recent.Count;
    }

    public double RemainingSeconds(int steps) => steps * SecondsPerStep;
}
