using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>The network of P-tuning.</summary>
internal abstract class PromptEncoder : IDisposable
{
    /// <param name="places">(P, C) float32.</param>
    /// <returns>(P, C) float32, a new tensor.</returns>
    public abstract Tensor Run(Tensor places);

    public abstract void Dispose();
}
