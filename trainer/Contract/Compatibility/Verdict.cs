namespace Graft.Contract;

/// <summary>Whether an engine will serve an adapter.</summary>
/// <param name="Reasons">Why not: a sentence each, which says what to do instead. Empty where it loads.</param>
/// <param name="Hints">What must be so on the engine's side, or is not known.</param>
public sealed record Verdict(ServingEngine Engine, bool Loads, IReadOnlyList<string> Reasons, IReadOnlyList<string> Hints)
{
    internal static Verdict Of(ServingEngine engine, IReadOnlyList<string> reasons, IReadOnlyList<string> hints) =>
        new(engine, reasons.Count == 0, reasons, hints);
}
