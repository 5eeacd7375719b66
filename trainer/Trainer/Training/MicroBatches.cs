using Graft.Trainer.Data;

namespace Graft.Trainer.Training;

/// <summary>
/// Cuts a step into what passes through the model at once. Bounded by examples and by tokens, because memory goes with tokens.
/// Sorted by length, so that examples of one length meet and their attention is one call.
/// </summary>
internal static class MicroBatches
{
    /// <param name="leadTokens">Virtual tokens before each example.</param>
    public static IReadOnlyList<IReadOnlyList<Example>> Cut(IReadOnlyList<Example> step, int maxExamples, int maxTokens, int leadTokens = 0)
    {
        var batches = new List<IReadOnlyList<Example>>();
        var current = new List<Example>();
        var tokens = 0;
        // OrderBy is stable: the same step is always cut the same way.
        foreach (var example in step.OrderByDescending(e => e.Length))
        {
            var length = leadTokens + example.Length;
            if (current.Count > 0 && (current.Count == maxExamples || tokens + length > maxTokens))
            {
                batches.Add(current);
                (current, tokens) = ([], 0);
            }
            current.Add(example);
            tokens += length;
        }
        if (current.Count > 0) batches.Add(current);
        return batches;
    }
}
