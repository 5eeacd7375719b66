using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>What an adapter does at one linear layer.</summary>
internal abstract class LinearAdapter : IDisposable
{
    /// <summary>Changes a part of the layer's output in place.</summary>
    /// <param name="output">(M, out): the base layer's.</param>
    /// <param name="input">(M, in).</param>
    public abstract void AddTo(Tensor output, Tensor input);

    /// <summary>Base layer and adapter together.</summary>
    /// <param name="input">(N, in).</param>
    /// <param name="weight">(out, in), frozen where it is packed.</param>
    /// <returns>(N, out).</returns>
    public virtual Tensor Forward(Tensor input, WeightMatrix weight, GradientBin bin)
    {
        var output = Product.Linear(input, weight, bin);
        AddTo(output, input);
        return output;
    }

    public abstract void Dispose();
}
