using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Graft.Modeling.Generation;

/// <summary>
/// Draws tokens by their logits, with the definitions and in the order of transformers' logits processors: repetition penalty (Keskar et
/// al. 2019, arXiv:1909.05858), temperature, the k likeliest, the likeliest that together reach p (Holtzman et al. 2019,
/// arXiv:1904.09751), those not much less likely than the likeliest (Nguyen et al. 2024, arXiv:2407.01082). One for each sequence, so
/// that a seed gives the same answer in any batch.
/// </summary>
/// <param name="prompt">Tokens that count as said already.</param>
internal sealed class Sampler(SamplingOptions options, IReadOnlyList<int> prompt)
{
    /// <summary>Weights below e^-40 of the largest are too small for a double to draw.</summary>
    private const double LeastExponent = -40;

    private readonly HashSet<int>? said = options.RepetitionPenalty == 1 ? null : [.. prompt];

    // SplitMix64 (Steele et al. 2014): small, and the same on every platform and version.
    private ulong state = (ulong)options.Seed;

    /// <param name="logits">(V).</param>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (said is not null) logits = Penalised(logits, said);
        var id = options.Temperature <= 0 ? Likeliest(logits) : Draw(logits);
        said?.Add(id);
        return id;
    }

    /// <summary>The first of the largest.</summary>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(logits);
        var most = logits[0];
        if (vectors.Length > 0)
        {
            var all = vectors[0];
            foreach (var vector in vectors) all = Vector512.Max(all, vector);
            for (var i = 0; i < Vector512<float>.Count; i++) most = MathF.Max(most, all[i]);
        }
        for (var i = vectors.Length * Vector512<float>.Count; i < logits.Length; i++) most = MathF.Max(most, logits[i]);
        return Math.Max(0, logits.IndexOf(most));
    }

    public static TokenLogProb LogProbs(ReadOnlySpan<float> logits, int id, int top)
    {
        var most = (double)logits[Likeliest(logits)];
        var sum = 0.0;
        foreach (var logit in logits) sum += Math.Exp(logit - most);
        var norm = most + Math.Log(sum);
        var likeliest = new PriorityQueue<int, float>();
        for (var i = 0; i < logits.Length && top > 0; i++)
        {
            if (likeliest.Count < top) likeliest.Enqueue(i, logits[i]);
            else if (likeliest.TryPeek(out _, out var least) && logits[i] > least) likeliest.EnqueueDequeue(i, logits[i]);
        }
        var found = new List<(int, double)>();
        while (likeliest.TryDequeue(out var other, out var logit)) found.Add((other, logit - norm));
        found.Reverse();
        return new TokenLogProb(id, logits[id] - norm, found);
    }

    /// <summary>The tokens that may be drawn, in an order that only the logits decide, and weights in proportion to their probability.</summary>
    internal List<(int Id, double Weight)> Candidates(ReadOnlySpan<float> logits)
    {
        var most = (double)logits[Likeliest(logits)];
        var least = options.TopK > 0 ? Largest(logits, options.TopK) : float.NegativeInfinity;
        var kept = new List<(int Id, double Weight)>();
        for (var i = 0; i < logits.Length; i++)
            if (logits[i] >= least && (logits[i] - most) / options.Temperature is var e && e >= LeastExponent) kept.Add((i, Math.Exp(e)));
        if (options.TopP < 1) kept = Nucleus(kept, options.TopP);
        // The likeliest has weight 1.
        if (options.MinP > 0) kept.RemoveAll(t => t.Weight < options.MinP);
        return kept;
    }

    private int Draw(ReadOnlySpan<float> logits)
    {
        var candidates = Candidates(logits);
        var drawn = Uniform() * candidates.Sum(c => c.Weight);
        foreach (var (id, weight) in candidates)
            if ((drawn -= weight) < 0) return id;
        return candidates.Count > 0 ? candidates[^1].Id : Likeliest(logits);
    }

    private float[] Penalised(ReadOnlySpan<float> logits, HashSet<int> tokens)
    {
        var changed = logits.ToArray();
        var penalty = (float)options.RepetitionPenalty;
        foreach (var id in tokens) changed[id] = changed[id] < 0 ? changed[id] * penalty : changed[id] / penalty;
        return changed;
    }

    /// <summary>The k-th largest logit; others of the same size are kept with it.</summary>
    private static float Largest(ReadOnlySpan<float> logits, int k)
    {
        if (k >= logits.Length) return float.NegativeInfinity;
        var largest = new PriorityQueue<float, float>(k);
        foreach (var logit in logits)
        {
            if (largest.Count < k) largest.Enqueue(logit, logit);
            else if (logit > largest.Peek()) largest.EnqueueDequeue(logit, logit);
        }
        return largest.Peek();
    }

    private static List<(int Id, double Weight)> Nucleus(List<(int Id, double Weight)> tokens, double p)
    {
        var total = tokens.Sum(t => t.Weight);
        // Tokens below this bound have less than 1 - p together, so none of them is needed; what is left to sort is short.
        var bound = total * (1 - p) / tokens.Count;
        var sorted = tokens.Where(t => t.Weight >= bound).OrderByDescending(t => t.Weight).ToList();
        var (sum, count) = (0.0, 0);
        while (count < sorted.Count && (count == 0 || sum < p * total)) sum += sorted[count++].Weight;
        sorted.RemoveRange(count, sorted.Count - count);
        return sorted;
    }

    private double Uniform()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return ((z ^ z >> 31) >> 11) * (1.0 / (1UL << 53));
    }
}
