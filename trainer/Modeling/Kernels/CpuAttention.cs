using System.Buffers;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>One sequence's last token and its cache. G key-value heads of size D.</summary>
/// <param name="Store">Where they lie, which is kept as long as somebody has this.</param>
/// <param name="Keys">(G, stride / D, D): of each head the first <paramref name="Length"/> rows are held.</param>
/// <param name="Stride">Elements from one head's keys to the next one's.</param>
internal readonly unsafe record struct CachedTokens(Tensor Store, nint Keys, nint Values, long Stride, int Length);

/// <summary>Attention of one new token in each of some sequences over their caches.</summary>
internal static unsafe class CpuAttention
{
    /// <param name="query">(B, H, D).</param>
    /// <param name="y">(B, H, D).</param>
    /// <param name="size">D, a multiple of 16.</param>
    /// <param name="scale">Factor on the scores.</param>
    public static void Run<T, TElements>(T* query, T* y, CachedTokens[] sequences, int heads, int groups, int size, float scale)
        where T : unmanaged where TElements : IElements<T>
    {
        var (shared, longest) = (heads / groups, sequences.Max(s => s.Length));
        CpuTeam.Shared.Run(sequences.Length * groups, piece =>
        {
            var (b, g) = (piece / groups, piece % groups);
            var sequence = sequences[b];
            T* keys = (T*)sequence.Keys + g * sequence.Stride, values = (T*)sequence.Values + g * sequence.Stride;
            var scratch = ArrayPool<float>.Shared.Rent(longest + size);
            fixed (float* scores = scratch)
            {
                for (var h = g * shared; h < (g + 1) * shared; h++)
                {
                    var at = ((long)b * heads + h) * size;
                    Weigh<T, TElements>(query + at, keys, scores, sequence.Length, size, scale);
                    Mix<T, TElements>(values, scores, scores + longest, y + at, sequence.Length, size);
                }
            }
            ArrayPool<float>.Shared.Return(scratch);
        });
    }

    /// <summary>Softmax of the scores of all keys.</summary>
    private static void Weigh<T, TElements>(T* query, T* keys, float* scores, int length, int size, float scale)
        where T : unmanaged where TElements : IElements<T>
    {
        var most = float.NegativeInfinity;
        for (var s = 0; s < length; s++)
        {
            var key = keys + (long)s * size;
            var sum = Vector512<float>.Zero;
            for (var j = 0; j < size; j += 16) sum = Vector512.FusedMultiplyAdd(TElements.Load(query + j), TElements.Load(key + j), sum);
            scores[s] = Vector512.Sum(sum) * scale;
            most = MathF.Max(most, scores[s]);
        }
        var (all, i) = (Vector512<float>.Zero, 0);
        for (; i + 16 <= length; i += 16)
        {
            var e = Vector512.Exp(Vector512.Load(scores + i) - Vector512.Create(most));
            e.Store(scores + i);
            all += e;
        }
        var total = Vector512.Sum(all);
        for (; i < length; i++) total += scores[i] = MathF.Exp(scores[i] - most);
        for (i = 0; i < length; i++) scores[i] /= total;
    }

    /// <summary>The values by their weights.</summary>
    /// <param name="sums">(D) of scratch.</param>
    private static void Mix<T, TElements>(T* values, float* weights, float* sums, T* y, int length, int size)
        where T : unmanaged where TElements : IElements<T>
    {
        for (var j = 0; j < size; j += 16) Vector512<float>.Zero.Store(sums + j);
        for (var s = 0; s < length; s++)
        {
            var value = values + (long)s * size;
            var weight = Vector512.Create(weights[s]);
            for (var j = 0; j < size; j += 16) Vector512.FusedMultiplyAdd(weight, TElements.Load(value + j),
                Vector512.Load(sums + j)).Store(sums + j);
        }
        for (var j = 0; j < size; j += 16) TElements.Store(Vector512.Load(sums + j), y + j);
    }
}
