using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// The operations of a network that adapters may change: embeddings, linear layers, the sums with the residual stream. Each row of a pass
/// gets what its own adapter makes of them, and the base's answer where it has none.
/// </summary>
internal static class Adapted
{
    /// <summary>The tokens' vectors, with what adapters change of them and put before them.</summary>
    /// <param name="ids">(N) int64; those of a lead are not looked at.</param>
    /// <param name="scale">Factor on the tokens' vectors, which those of a lead have already where they need it; null: none.</param>
    /// <returns>(N, C).</returns>
    public static Tensor Embed(WeightMatrix table, Tensor ids, Pass pass, Tensor? scale = null)
    {
        Tensor Rows(Tensor of, Attachment? attachment) => attachment?.Embedding?.Gather(of, table) ?? table.Gather(of);
        var x = pass.Spans is [var all] ? Rows(ids, all.Attachment)
            : pass.Spans.All(s => s.Attachment?.Embedding is null) ? table.Gather(ids)
            : cat([.. pass.Spans.Select(s => Rows(ids.narrow(0, s.Start, s.Length), s.Attachment))]);
        if (scale is not null) x = x.mul(scale);
        if (pass.Segments.All(s => s.Lead.Tokens == 0)) return x;
        var parts = new List<Tensor>();
        for (var i = 0; i < pass.Segments.Count; i++)
        {
            var (segment, tokens) = (pass.Segments[i], pass.Segments[i].Lead.Tokens);
            if (tokens > 0) parts.Add(pass.PromptOf(i, x.dtype));
            if (segment.Length > tokens) parts.Add(x.narrow(0, segment.Start + tokens, segment.Length - tokens));
        }
        return cat(parts);
    }

    /// <summary>A linear layer with the adapters of the pass.</summary>
    /// <param name="x">(N, in).</param>
    /// <returns>(N, out).</returns>
    public static Tensor Linear(LinearSite site, Tensor x, Pass pass) => Linear(site, x, pass.Spans, pass.Gradients);

    /// <summary>The same on rows that stand for whole texts.</summary>
    /// <param name="x">(B, in): a row for each segment.</param>
    /// <returns>(B, out).</returns>
    public static Tensor LinearOfTexts(LinearSite site, Tensor x, Pass pass) => Linear(site, x, pass.SpansOfTexts, pass.Gradients);

    /// <summary>A linear layer on rows that several adapters answer for.</summary>
    /// <param name="spans">All rows of <paramref name="x"/>, in order.</param>
    public static Tensor Linear(LinearSite site, Tensor x, IReadOnlyList<Span> spans, GradientBin bin)
    {
        if (spans is [var all] && all.Attachment?.At(site) is { } only) return only.Forward(x, site, bin);
        var y = Product.Linear(x, site.Matrix, site.Bias, bin);
        foreach (var (start, length, attachment) in spans)
        {
            if (attachment?.At(site) is not { } found) continue;
            using var rows = y.narrow(0, start, length);
            using var inputs = x.narrow(0, start, length);
            if (found.Amends) found.Amend(rows, inputs, site);
            else rows.copy_(found.Forward(inputs, site, bin));
        }
        return y;
    }

    /// <summary>A layer norm with the biases that adapters have for it.</summary>
    /// <param name="x">(N, C).</param>
    /// <param name="shape">C.</param>
    public static Tensor LayerNorm(NormSite site, Tensor x, long[] shape, double epsilon, Pass pass)
    {
        Tensor Norm(Tensor? bias) => nn.functional.layer_norm(x, shape, site.Weight, bias ?? site.Bias, epsilon);
        if (pass.Spans is [var all]) return Norm(all.Attachment?.BiasAt(site)?.to_type(x.dtype));
        var y = Norm(null);
        foreach (var (start, length, attachment) in pass.Spans)
        {
            if (attachment?.BiasAt(site) is not { } own) continue;
            using var rows = y.narrow(0, start, length);
            rows.add_(own.to_type(x.dtype).sub(site.Bias));
        }
        return y;
    }

    /// <summary>The residual stream after a half of a block, before the norm that may follow.</summary>
    /// <param name="residual">(N, C): the stream before it.</param>
    /// <param name="output">(N, C): what the half makes of it.</param>
    /// <param name="norm">The norm that follows.</param>
    /// <returns>(N, C).</returns>
    public static Tensor Join(ResidualSite site, Tensor residual, Tensor output, Layer? norm, Pass pass)
    {
        Tensor Sum(Attachment? attachment, Tensor before, Tensor made) =>
            attachment?.At(site)?.Join(before, made, norm, pass) ?? before.add(made, Scalars.One);
        if (pass.Spans is [var all]) return Sum(all.Attachment, residual, output);
        if (pass.Spans.All(s => s.Attachment?.At(site) is null)) return residual.add(output, Scalars.One);
        return cat([.. pass.Spans.Select(s =>
            Sum(s.Attachment, residual.narrow(0, s.Start, s.Length), output.narrow(0, s.Start, s.Length)))]);
    }
}
