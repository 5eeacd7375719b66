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
    private readonly LinearSite head;

    internal CausalLM(ModelPlan plan, WeightReader reader) : base(reader)
    {
        (softCap, ropes) = (plan.LogitSoftCap, plan.Ropes);
        body = plan.Body(this, plan.Config);
        head = Output("lm_head", plan.Config.VocabularySize, plan.Config.HiddenSize, plan.Config.TiedEmbeddings ? body.Embedding : null);
    }

    /// <summary>(V, C): the output head, which may be the embedding.</summary>
    public WeightMatrix OutputWeight => head.Weight;

    internal override LinearSite OutputHead => head;

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
    /// <param name="adapter">The one that answers for all of them; null as for a <see cref="Segment"/>.</param>
    /// <returns>(M, V) float32.</returns>
    public Tensor Logits(Tensor hidden, LoadedAdapter? adapter = null) =>
        Logits(hidden, [new Span(0, (int)hidden.size(0), AttachmentOf(adapter))]);

    /// <param name="hidden">(M, C): the rows wanted.</param>
    /// <param name="adapters">M: which answers for each row; null as for a <see cref="Segment"/>.</param>
    /// <returns>(M, V) float32.</returns>
    public Tensor Logits(Tensor hidden, IReadOnlyList<LoadedAdapter?> adapters) =>
        Logits(hidden, Pass.Merge([.. adapters.Select((a, i) => new Span(i, 1, AttachmentOf(a)))]));

    private Tensor Logits(Tensor hidden, IReadOnlyList<Span> spans)
    {
        using var scope = NewDisposeScope();
        return Capped(Adapted.Linear(head, hidden, spans, new GradientBin())).MoveToOuterDisposeScope();
    }

    /// <returns>float32.</returns>
    private Tensor Capped(Tensor logits)
    {
        // Capped in the element type that the model computes in, as the reference does.
        if (softCap is { } cap)
        {
            using TorchSharp.Scalar bound = cap;
            logits = logits.div(bound).tanh().mul(bound);
        }
        return logits.to_type(ScalarType.Float32);
    }

    /// <summary>Sum of the losses in nats: a float32 scalar.</summary>
    /// <param name="hidden">(M, C): the hidden states that predict a supervised token.</param>
    /// <param name="targets">(M) int64: the tokens to be predicted.</param>
    /// <param name="pass">What <paramref name="hidden"/> comes from, for which one adapter answers; null: what is being trained.</param>
    public Tensor LossSum(Tensor hidden, Tensor targets, Pass? pass = null)
    {
        var adapter = (pass is null ? AttachmentOf(null) : pass.Only)?.At(head);
        if (adapter is null) return ChunkedCrossEntropy.Sum(hidden, OutputWeight, targets, softCap);
        if (adapter.Whole(hidden.dtype) is { } weight) return ChunkedCrossEntropy.Sum(hidden, weight, targets, softCap);
        var bin = pass?.Gradients ?? new GradientBin();
        return ChunkedCrossEntropy.Sum(hidden, OutputWeight.Rows, targets, rows => Capped(adapter.Forward(rows, head, bin)));
    }

    /// <summary>
    /// Whether what a cache holds of a text is of no use once the text has the other length, because rotary positions then turn by
    /// other angles. The whole text must be computed anew, into an empty cache.
    /// </summary>
    public bool Outgrows(int held, int length) => held > 0 && ropes.Any(r => !r.Agrees(held, length));
}
