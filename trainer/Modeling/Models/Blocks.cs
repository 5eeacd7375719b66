namespace Graft.Modeling.Models;

/// <summary>How the two halves of a block, its norms and the residual stream are wired.</summary>
internal static class Blocks
{
    /// <summary>Norms before each half: x + f(norm(x)) (Xiong et al. 2020, arXiv:2002.04745).</summary>
    public static Layer PreNorm(
        BlockSites sites, Layer attentionNorm, Layer attention, Layer feedForwardNorm, Layer feedForward) => (x, pass) =>
    {
        x = Adapted.Join(sites.Attention, x, attention(attentionNorm(x, pass), pass), null, pass);
        return Adapted.Join(sites.FeedForward, x, feedForward(feedForwardNorm(x, pass), pass), null, pass);
    };

    /// <summary>Norms before and after each half: x + norm(f(norm(x))) (Gemma 2, arXiv:2408.00118).</summary>
    public static Layer SandwichNorm(
        BlockSites sites, Layer attentionNorm, Layer attention, Layer afterAttention,
        Layer feedForwardNorm, Layer feedForward, Layer afterFeedForward) => (x, pass) =>
    {
        x = Adapted.Join(sites.Attention, x, afterAttention(attention(attentionNorm(x, pass), pass), pass), null, pass);
        return Adapted.Join(sites.FeedForward, x, afterFeedForward(feedForward(feedForwardNorm(x, pass), pass), pass), null, pass);
    };

    /// <summary>Norms after each sum: norm(x + f(x)) (Vaswani et al. 2017, arXiv:1706.03762).</summary>
    public static Layer PostNorm(
        BlockSites sites, Layer attention, Layer attentionNorm, Layer feedForward, Layer feedForwardNorm) => (x, pass) =>
    {
        x = attentionNorm(Adapted.Join(sites.Attention, x, attention(x, pass), attentionNorm, pass), pass);
        return feedForwardNorm(Adapted.Join(sites.FeedForward, x, feedForward(x, pass), feedForwardNorm, pass), pass);
    };
}
