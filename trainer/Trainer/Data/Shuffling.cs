namespace Graft.Trainer.Data;

/// <summary>Permutations that depend on nothing but the seed and the epoch: the same on every machine and in every version.</summary>
internal static class Shuffling
{
    /// <summary>Fills <paramref name="order"/> with a permutation of 0..n-1 (Fisher-Yates, SplitMix64 as the source of numbers).</summary>
    public static void Fill(Span<int> order, long seed, long epoch)
    {
        for (var i = 0; i < order.Length; i++) order[i] = i;
        var state = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL + (ulong)epoch * 0xD1B54A32D192ED03UL + 1);
        for (var i = order.Length - 1; i > 0; i--)
        {
            // The high half of a 64 x 64 bit product: an even share for every j up to 2^-32, which no dataset notices.
            var j = (int)Math.BigMul(Next(ref state), (ulong)(i + 1), out _);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014).</summary>
    private static ulong Next(ref ulong state)
    {
        var z = unchecked(state += 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }
}
