using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>What a token sees of its text, and how scores are made.</summary>
internal sealed record AttentionOptions
{
    /// <summary>False: every token sees the whole text, as in encoders.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Tokens that one sees at most, itself included; null: all before it.</summary>
    public int? Window { get; init; }

    /// <summary>Factor on the scores; null: 1 / sqrt(D).</summary>
    public double? Scale { get; init; }

    /// <summary>Scores s become cap tanh(s / cap) (Gemma 2, arXiv:2408.00118).</summary>
    public double? SoftCap { get; init; }
}

/// <summary>Attention within each segment of a pass and its cache. H query heads share G key-value heads of size D.</summary>
internal static class Attention
{
    /// <param name="query">(N, H, D).</param>
    /// <param name="key">(N, G, D).</param>
    /// <param name="value">(N, G, D).</param>
    /// <returns>(N, H D).</returns>
    public static Tensor Run(Tensor query, Tensor key, Tensor value, Pass pass, int layer, AttentionOptions options)
    {
        // The library's operator knows only its own factor.
        var ratio = options.Scale is { } scale && options.SoftCap is null ? scale * Math.Sqrt(query.size(2)) : 1;
        if (Math.Abs(ratio - 1) > 1e-9)
        {
            using Scalar factor = ratio;
            query = query.mul(factor);
        }
        if (options is { Causal: true, SoftCap: null } && OneTokenEach(query, pass, options.Window))
            return Decoding.Attention(query, Append(key, value, pass, layer), (int)key.size(1), 1 / Math.Sqrt(query.size(2)));
        var parts = new List<Tensor>(pass.Groups.Count);
        foreach (var (first, count) in pass.Groups)
        {
            var segment = pass.Segments[first];
            var q = Part(query, segment.Start, count, segment.Length);
            Tensor k, v;
            if (segment.Cache is { } cache)
            {
                var (start, length) = (segment.Start, segment.Length);
                (k, v) = cache.Append(layer, key.narrow(0, start, length), value.narrow(0, start, length));
            }
            else
            {
                (k, v) = (Part(key, segment.Start, count, segment.Length), Part(value, segment.Start, count, segment.Length));
                if (segment.Lead.Keys > 0) (k, v) = Behind(pass.PrefixOf(first, k.dtype), layer, k, v);
            }
            var output = Attend(q, k, v, pass, options);
            parts.Add(output.transpose(1, 2).reshape(count * segment.Length, -1));              // (B, H, T, D) -> (B T, H D)
        }
        return parts is [var only] ? only : cat(parts, 0);
    }

    /// <summary>Decoding within the window, in which our own kernel takes all sequences at once.</summary>
    private static bool OneTokenEach(Tensor query, Pass pass, int? window) =>
        Decoding.Takes(query) && query.size(2) % 16 == 0
        && pass.Segments.All(s => s is { Length: 1, Cache: { } cache } && (window is not { } most || cache.Length < most));

    private static CachedTokens[] Append(Tensor key, Tensor value, Pass pass, int layer)
    {
        (key, value) = (key.contiguous(), value.contiguous());
        return [.. pass.Segments.Select(s => s.Cache!.AppendOne(layer, key, value, s.Start))];
    }

    /// <summary>Equally long neighbours as a batch: (B T, H, D) -> (B, H, T, D).</summary>
    private static Tensor Part(Tensor x, long start, long count, long length) =>
        x.narrow(0, start, count * length).view(count, length, x.size(1), x.size(2)).transpose(1, 2);

    /// <summary>Keys and values with those of an adapter before them.</summary>
    /// <param name="prefix">(layers, 2, G, P, D).</param>
    /// <param name="key">(B, G, T, D).</param>
    /// <param name="value">(B, G, T, D).</param>
    /// <returns>(B, G, P + T, D).</returns>
    private static (Tensor Key, Tensor Value) Behind(Tensor prefix, int layer, Tensor key, Tensor value)
    {
        Tensor Join(int part, Tensor own)
        {
            var before = prefix[layer, part].unsqueeze(0).expand(own.size(0), own.size(1), prefix.size(3), own.size(3));
            return cat([before, own], 2);
        }
        return (Join(0, key), Join(1, value));
    }

    /// <param name="query">(B, H, T, D): the last T of the S tokens.</param>
    /// <param name="key">(B, G, S, D).</param>
    /// <param name="value">(B, G, S, D).</param>
    /// <returns>(B, H, T, D).</returns>
    private static Tensor Attend(Tensor query, Tensor key, Tensor value, Pass pass, AttentionOptions options)
    {
        var (tokens, all) = (query.size(2), key.size(2));
        if (options.Window is { } window && tokens == 1 && all > window)
        {
            // One token sees the last ones, which are all that is needed.
            (key, value, all) = (key.narrow(2, all - window, window), value.narrow(2, all - window, window), window);
        }
        var windowed = options.Window is { } most && all > most;
        var masked = options.Causal && tokens > 1;
        if (options.SoftCap is { } cap)
        {
            var scale = options.Scale ?? 1 / Math.Sqrt(query.size(3));
            return Capped(query, key, value, scale, cap, masked ? pass.Mask(tokens, all, options.Window) : null);
        }
        if (!windowed && (!masked || tokens == all)) return Aten.GroupedQueryAttention(query, key, value, causal: masked);
        var shared = query.size(1) / key.size(1);
        return nn.functional.scaled_dot_product_attention(
            query, key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1), pass.Mask(tokens, all, options.Window));
    }

    /// <summary>Written out, since the library's operator cannot do it. Softmax is in float32, as in the reference.</summary>
    /// <param name="mask">(T, S), or null where each query sees all keys.</param>
    private static Tensor Capped(Tensor query, Tensor key, Tensor value, double scale, double cap, Tensor? mask)
    {
        long batch = query.size(0), heads = query.size(1), tokens = query.size(2), size = query.size(3);
        var (groups, all) = (key.size(1), key.size(2));
        using Scalar inward = scale / cap, outward = cap, never = double.NegativeInfinity;
        var together = query.reshape(batch, groups, heads / groups * tokens, size);             // heads that share keys, one after another
        var scores = together.matmul(key.transpose(2, 3)).mul(inward).tanh().mul(outward)     // (B, G, H / G T, S)
            .view(batch, groups, heads / groups, tokens, all);
        if (mask is not null) scores = scores.masked_fill(mask.logical_not(), never);
        var weights = scores.softmax(-1, ScalarType.Float32).to_type(query.dtype).view(batch, groups, heads / groups * tokens, all);
        return weights.matmul(value).view(batch, heads, tokens, size);
    }
}
