using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>What a method does at the table of token embeddings.</summary>
internal abstract class EmbeddingAdapter : IDisposable
{
    /// <summary>Table and adapter together.</summary>
    /// <param name="ids">(N) int64.</param>
    /// <returns>(N, C).</returns>
    public abstract Tensor Gather(Tensor ids, WeightMatrix table);

    /// <summary>The table with the adapter in it, as a new tensor.</summary>
    /// <param name="table">(V, C) float32.</param>
    public abstract Tensor Merge(Tensor table);

    public abstract void Dispose();
}
