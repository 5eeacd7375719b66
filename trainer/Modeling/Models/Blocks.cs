using Graft.Modeling.Runtime;

namespace Graft.Modeling.Models;

/// <summary>How the two halves of a block, its norms and the residual stream are wired.</summary>
internal static class Blocks
{
    /// <summary>Norms before each half: x + f(norm(x)) (Xiong et al. 2020, arXiv:2002.04745).</summary>
    public static Layer PreNorm(Layer attentionNorm, Layer attention, Layer feedForwardNorm, Layer feedForward) => (x, pass) =>
    {
        x = x.add(attention(attentionNorm(x, pass), pass), Scalars.One);
        return x.add(feedForward(feedForwardNorm(x, pass), pass), Scalars.One);
    };

    /// <summary>Norms before and after each half: x + norm(f(norm(x))) (Gemma 2, arXiv:2408.00118).</summary>
    public static Layer SandwichNorm(
        Layer attentionNorm, Layer attention, Layer afterAttention,
        Layer feedForwardNorm, Layer feedForward, Layer afterFeedForward) => (x, pass) =>
    {
        x = x.add(afterAttention(attention(attentionNorm(x, pass), pass), pass), Scalars.One);
        return x.add(afterFeedForward(feedForward(feedForwardNorm(x, pass), pass), pass), Scalars.One);
    };

    /// <summary>Norms after each sum: norm(x + f(x)) (Vaswani et al. 2017, arXiv:1706.03762).</summary>
    public static Layer PostNorm(Layer attention, Layer attentionNorm, Layer feedForward, Layer feedForwardNorm) => (x, pass) =>
    {
        x = attentionNorm(x.add(attention(x, pass), Scalars.One), pass);
        return feedForwardNorm(x.add(feedForward(x, pass), Scalars.One), pass);
    };
}
