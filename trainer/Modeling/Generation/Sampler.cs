namespace Graft.Modeling.Generation;

/// <summary>
/// Draws tokens by their logits: temperature, then the k likeliest, then the likeliest that together reach p (nucleus
/// sampling, Holtzman et al. 2019, arXiv:1904.09751). One for each sequence, so that a seed gives the same answer in any batch.
/// </summary>
internal sealed class Sampler(SamplingOptions options)
{
    // SplitMix64 (Steele et al. 2014): small, and the same on every platform and version.
    private ulong state = (ulong)options.Seed;

    /// <param name="logits">(V).</param>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (options.Temperature <= 0) return Likeliest(logits);
        var ids = Candidates(logits, out var weights);
        var total = weights.Sum();
        var kept = weights.Length;
        if (options.TopP < 1)
        {
            var sum = 0.0;
            for (kept = 0; kept < weights.Length && (kept == 0 || sum < options.TopP * total); kept++) sum += weights[kept];
            total = sum;
        }
        var drawn = Uniform() * total;
        for (var i = 0; i < kept; i++)
            if ((drawn -= weights[i]) < 0) return ids[i];
        return ids[kept - 1];
    }

    /// <summary>The first of the largest.</summary>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return best;
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

    /// <summary>Likeliest first, with weights in proportion to their probability.</summary>
    private int[] Candidates(ReadOnlySpan<float> logits, out double[] weights)
    {
        var ids = new int[logits.Length];
        var keys = new float[logits.Length];
        for (var i = 0; i < logits.Length; i++) (ids[i], keys[i]) = (i, -logits[i]);
        if (options.TopK > 0 || options.TopP < 1) Array.Sort(keys, ids);
        var count = options.TopK > 0 ? Math.Min(options.TopK, ids.Length) : ids.Length;
        var most = (double)logits[Likeliest(logits)];
        weights = new double[count];
        for (var i = 0; i < count; i++) weights[i] = Math.Exp((-keys[i] - most) / options.Temperature);
        return ids;
    }

    private double Uniform()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return ((z ^ z >> 31) >> 11) * (1.0 / (1UL << 53));
    }
}
