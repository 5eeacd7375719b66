using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>An encoder without a head: hidden states of the tokens, and vectors of whole texts. B: segments of a pass.</summary>
public sealed class TextEncoder : Transformer
{
    private readonly Body body;
    private readonly Pooler? pooler;

    internal TextEncoder(ModelPlan plan, WeightReader reader) : base(reader)
    {
        body = plan.Body(this, plan.Config);
        // One that was trained to fill in masked words has none.
        if (reader.Has("pooler.dense.weight")) pooler = plan.Pooler!(this, plan.Config);
    }

    /// <summary>Whether the model has a pooling of its own.</summary>
    public bool HasPooler => pooler is not null;

    private protected override Body Body => body;

    /// <param name="ids">(N) int64, on the model's device: whole texts.</param>
    /// <returns>(N, C).</returns>
    public Tensor Forward(Tensor ids, Pass pass)
    {
        Begin(ids, pass);
        return body.Run(ids, pass);
    }

    /// <summary>The model's own pooling, which is trained with it.</summary>
    /// <param name="hidden">(N, C).</param>
    /// <returns>(B, C).</returns>
    /// <exception cref="InvalidOperationException">It has none: see <see cref="HasPooler"/>.</exception>
    public Tensor Pool(Tensor hidden, Pass pass)
    {
        if (pooler is null) throw new InvalidOperationException("The model has no pooler; take the mean of its tokens.");
        using var scope = NewDisposeScope();
        return pooler(hidden, pass).MoveToOuterDisposeScope();
    }

    /// <summary>The mean of a text's tokens, of length one: what sentence embeddings are compared by.</summary>
    /// <param name="hidden">(N, C).</param>
    /// <returns>(B, C) float32.</returns>
    public static Tensor Mean(Tensor hidden, Pass pass)
    {
        using var scope = NewDisposeScope();
        var wide = hidden.to_type(ScalarType.Float32);
        var means = stack([.. pass.Segments.Select(s => wide.narrow(0, s.Start, s.Length).mean([0]))]);
        return nn.functional.normalize(means, 2, 1, 1e-12).MoveToOuterDisposeScope();
    }
}
