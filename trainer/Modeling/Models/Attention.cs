using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Causal attention within each segment of a pass and its cache.</summary>
internal static class Attention
{
    /// <param name="query">(N, H, D).</param>
    /// <param name="key">(N, G, D).</param>
    /// <param name="value">(N, G, D).</param>
    /// <returns>(N, H D).</returns>
    public static Tensor Run(Tensor query, Tensor key, Tensor value, Pass pass, int layer)
    {
        var parts = new List<Tensor>(pass.Groups.Count);
        foreach (var (first, count) in pass.Groups)
        {
            var segment = pass.Segments[first];
            var q = Part(query, segment.Start, count, segment.Length);
            var output = segment.Cache is { } cache ? WithCache(q, key, value, segment, cache, layer)
                : Aten.GroupedQueryAttention(q, Part(key, segment.Start, count, segment.Length), Part(value, segment.Start, count, segment.Length), causal: true);
            parts.Add(output.transpose(1, 2).reshape(count * segment.Length, -1));              // (B, H, T, D) -> (B T, H D)
        }
        return parts is [var only] ? only : cat(parts, 0);
    }

    /// <summary>Equally long neighbours as a batch: (B T, H, D) -> (B, H, T, D).</summary>
    private static Tensor Part(Tensor x, long start, long count, long length) =>
        x.narrow(0, start, count * length).view(count, length, x.size(1), x.size(2)).transpose(1, 2);

    private static Tensor WithCache(Tensor query, Tensor key, Tensor value, Segment segment, KvCache cache, int layer)
    {
        var past = cache.Length;
        var (keys, values) = cache.Append(layer, key.narrow(0, segment.Start, segment.Length), value.narrow(0, segment.Start, segment.Length));
        if (segment.Length == 1 || past == 0) return Aten.GroupedQueryAttention(query, keys, values, causal: segment.Length > 1);
        // Query i of the segment stands at position past + i and sees all keys up to there.
        var shared = query.size(1) / keys.size(1);
        var mask = ones(segment.Length, past + segment.Length, ScalarType.Bool, query.device).tril(past);
        return nn.functional.scaled_dot_product_attention(
            query, keys.repeat_interleave(shared, 1), values.repeat_interleave(shared, 1), mask);
    }
}
