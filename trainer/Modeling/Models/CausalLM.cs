using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A decoder that predicts the next token. N: tokens of a pass; C: hidden size; V: vocabulary.</summary>
public sealed class CausalLM : Transformer
{
    private readonly Body body;
    private readonly double? softCap;
    private readonly IReadOnlyList<Rope> ropes;

    internal CausalLM(ModelPlan plan, WeightReader reader) : base(reader)
    {
        (softCap, ropes) = (plan.LogitSoftCap, plan.Ropes);
        body = plan.Body(this, plan.Config);
        OutputWeight = plan.Config.TiedEmbeddings
            ? body.Embedding : Matrix("lm_head.weight", plan.Config.VocabularySize, plan.Config.HiddenSize);
    }

    /// <summary>(V, C): the output head, which may be the embedding.</summary>
    public WeightMatrix OutputWeight { get; }

    private protected override Body Body => body;

    /// <param name="ids">(N) int64, on the model's device.</param>
    /// <returns>(N, C) after the last norm.</returns>
    public Tensor Forward(Tensor ids, Pass pass)
    {
        Begin(ids, pass);
        var hidden = body.Run(ids, pass);
        pass.Advance();
        return hidden;
    }

    /// <param name="hidden">(M, C): the rows wanted.</param>
    /// <returns>(M, V) float32.</returns>
    public Tensor Logits(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var logits = Product.Linear(hidden, OutputWeight);
        // Capped in the element type that the model computes in, as the reference does.
        if (softCap is { } cap)
        {
            using TorchSharp.Scalar bound = cap;
            logits = logits.div(bound).tanh().mul(bound);
        }
        return logits.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Sum of the losses in nats: a float32 scalar.</summary>
    /// <param name="hidden">(M, C): the hidden states that predict a supervised token.</param>
    /// <param name="targets">(M) int64: the tokens to be predicted.</param>
    public Tensor LossSum(Tensor hidden, Tensor targets) => ChunkedCrossEntropy.Sum(hidden, OutputWeight, targets, softCap);

    /// <summary>
    /// Whether what a cache holds of a text is of no use once the text has the other length, because rotary positions then turn by
    /// other angles. The whole text must be computed anew, into an empty cache.
    /// </summary>
    public bool Outgrows(int held, int length) => held > 0 && ropes.Any(r => !r.Agrees(held, length));
}
