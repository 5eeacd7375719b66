using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>What a method does at one linear layer.</summary>
internal abstract class LinearAdapter : IDisposable
{
    /// <summary>Layer and adapter together.</summary>
    /// <param name="input">(N, in).</param>
    /// <returns>(N, out).</returns>
    public abstract Tensor Forward(Tensor input, LinearSite site, GradientBin bin);

    /// <summary>
    /// Whether the adapter can start from what the layer itself answered, so that rows of several adapters share the layer's product.
    /// </summary>
    public virtual bool Amends => false;

    /// <summary>Turns the layer's own answer into the adapter's, in place; only where <see cref="Amends"/>.</summary>
    /// <param name="output">(M, out): the layer's, with its bias.</param>
    /// <param name="input">(M, in).</param>
    public virtual void Amend(Tensor output, Tensor input, LinearSite site) =>
        throw new InvalidOperationException($"{GetType().Name} runs the layer itself.");

    /// <summary>The weight that stands in the layer's place, where the adapter is that and nothing else; in the graph.</summary>
    /// <returns>(out, in), or null.</returns>
    public virtual Tensor? Whole(ScalarType dtype) => null;

    /// <summary>The layer's weight and bias with the adapter in them, as new tensors.</summary>
    /// <param name="weight">(out, in) float32.</param>
    /// <param name="bias">(out) float32, or none.</param>
    public abstract (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias);

    public abstract void Dispose();
}
