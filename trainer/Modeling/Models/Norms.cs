namespace Graft.Modeling.Models;

/// <summary>The norms as layers.</summary>
internal static class Norms
{
    /// <summary>Over the whole hidden state.</summary>
    public static Layer Rms(Transformer network, string name, ModelConfig c)
    {
        var apply = RmsOver(network, name, c.HiddenSize, c);
        return (x, pass) => apply(x, pass);
    }

    /// <summary>Over each head on its own, as Qwen 3 and Gemma 3 do with queries and keys.</summary>
    /// <returns>(N, H, D) to (N, H, D).</returns>
    public static Layer RmsOfHeads(Transformer network, string name, ModelConfig c)
    {
        var apply = RmsOver(network, name, c.HeadSize, c);
        return (x, pass) => apply(x.reshape(-1, c.HeadSize), pass).view(x.shape);
    }

    /// <summary>Layer norm (Ba et al. 2016, arXiv:1607.06450).</summary>
    public static Layer LayerNorm(Transformer network, string name, ModelConfig c)
    {
        var site = network.Norm(name, c.HiddenSize);
        long[] shape = [c.HiddenSize];
        return (x, pass) => Adapted.LayerNorm(site, x, shape, c.NormEpsilon, pass);
    }

    private static Layer RmsOver(Transformer network, string name, int size, ModelConfig c)
    {
        var weight = network.Weight(name + ".weight", size);
        return (x, pass) => RmsNorm.Apply(x, weight, c.NormEpsilon, pass.Gradients, c.NormOffset);
    }
}
