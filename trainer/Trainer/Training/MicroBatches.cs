using Graft.Trainer.Data;

namespace Graft.Trainer.Training;

/// <summary>
/// Cuts a step into what passes through the model at once. Bounded by examples and by tokens, because memory goes with tokens.
/// Sorted by length, so that examples of one length meet and their attention is one call.
/// </summary>
internal static class MicroBatches
{
    public static IReadOnlyList<IReadOnlyList<Example>> Cut(IReadOnlyList<Example> step, int maxExamples, int maxTokens)
    {
        var batches = new List<IReadOnlyList<Example>>();
        var current = new List<Example>();
        var tokens = 0;
        // OrderBy is stable: the same step is always cut the same way.
        foreach (var example in step.OrderByDescending(e => e.Length))
        {
            if (current.Count > 0 && (current.Count == maxExamples || tokens + example.Length > maxTokens))
            {
                batches.Add(current);
                (current, tokens) = ([], 0);
            }
            current.Add(example);
            tokens += example.Length;
        }
        if (current.Count > 0) batches.Add(current);
        return batches;
    }
}
