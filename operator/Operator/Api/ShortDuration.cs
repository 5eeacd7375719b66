using Graft.Runtime;

namespace Graft.Operator.Api;

/// <summary>Durations as a person reads them.</summary>
internal static class ShortDuration
{
    /// <summary>The two largest units of GEP-2257's form, rounded down to seconds: <c>2h5m</c>, <c>6m</c>, <c>12s</c>.</summary>
    public static string Format(TimeSpan duration) => GepDuration.Format(duration switch
    {
        { TotalHours: >= 1 } => TimeSpan.FromMinutes((long)duration.TotalMinutes),
        _ => TimeSpan.FromSeconds((long)duration.TotalSeconds),
    });
}
