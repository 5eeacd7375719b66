namespace Graft.Contract;

/// <summary>Graft's own server: every method that Graft trains, for generating text.</summary>
internal sealed class GraftRules : EngineRules
{
    private static readonly string[] Methods = ["lora", "promptTuning", "pTuning", "prefixTuning", "bottleneck", "ia3"];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!Methods.Contains(facts.Method))
            reasons.Add($"Graft does not know the method {facts.Method}; it serves {string.Join(", ", Methods)}.");
        if (facts.Task == "SEQ_CLS")
            reasons.Add("Graft's server generates text, and this one classifies texts; ask it with 'graft-trainer evaluate'.");
        if (facts.VirtualTokens is { } tokens && adapter.Limits.MaxPositions is { } most && tokens >= most - 1)
            reasons.Add($"It puts {tokens} virtual tokens before each text, and the model takes {most} in all, which leaves "
                + "no room for a text; "
                + "train with fewer.");
        if (facts.BaseDigest.Length == 0)
            hints.Add("On which base it was trained is not recorded; the server loads it where names and shapes fit, and "
                + "cannot tell another base of the same shape.");
    }
}
