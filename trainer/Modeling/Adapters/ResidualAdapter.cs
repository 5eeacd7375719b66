using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>What a method does where a half of a block meets the residual stream.</summary>
internal abstract class ResidualAdapter : IDisposable
{
    /// <summary>The sum that the stream goes on with, before the norm that may follow it.</summary>
    /// <param name="residual">(N, C): the stream before the half.</param>
    /// <param name="output">(N, C): what the half makes of it.</param>
    /// <param name="norm">The norm that follows the sum, where there is one.</param>
    /// <returns>(N, C).</returns>
    public abstract Tensor Join(Tensor residual, Tensor output, Layer? norm, Pass pass);

    public abstract void Dispose();
}
