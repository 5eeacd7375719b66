using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>A network without its output head: token ids in, hidden states out.</summary>
internal abstract class Body
{
    /// <summary>(V, C): of the tokens.</summary>
    public abstract WeightMatrix Embedding { get; }

    /// <summary>What the blocks are given for tokens, before positions are added.</summary>
    /// <param name="ids">(M) int64.</param>
    /// <returns>(M, C).</returns>
    public virtual Tensor VectorsOf(Tensor ids) => Embedding.Gather(ids);

    /// <param name="ids">(N) int64.</param>
    /// <returns>(N, C).</returns>
    public abstract Tensor Run(Tensor ids, Pass pass);

    /// <summary>Runs blocks one after another, freeing what autograd does not need of each: with the block, not with the step.</summary>
    protected static Tensor Through(IReadOnlyList<Layer> blocks, Tensor x, Pass pass)
    {
        foreach (var block in blocks)
        {
            using var inner = NewDisposeScope();
            x = block(x, pass).MoveToOuterDisposeScope();
        }
        return x;
    }
}
