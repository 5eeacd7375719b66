using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Output head and cross entropy in one, a few rows at a time, so that (M, V) logits never exist at once.</summary>
public static class ChunkedCrossEntropy
{
    private const long ChunkElements = 1 << 22;

    /// <summary>Of logits of a packed head, which is widened anew for every chunk.</summary>
    private const long PackedChunkElements = 1 << 24;

    /// <param name="hidden">(M, C): the hidden states that predict a supervised token.</param>
    /// <param name="outputWeight">(V, C); gets a gradient if it asks for one, which a packed one cannot.</param>
    /// <param name="targets">(M) int64: the tokens to be predicted.</param>
    /// <param name="softCap">Where logits l become cap tanh(l / cap).</param>
    /// <returns>The sum of the M losses in nats: a float32 scalar. Divide by the supervised tokens of the whole step.</returns>
    public static Tensor Sum(Tensor hidden, WeightMatrix outputWeight, Tensor targets, double? softCap = null) =>
        torch.is_grad_enabled() && (hidden.requires_grad || outputWeight.RequiresGradient)
            ? LossFunction.apply(hidden, outputWeight.Dense ?? (object)outputWeight, targets, softCap ?? 0)
            : Run(hidden, outputWeight, targets, softCap ?? 0, null, null);

    /// <summary>The same of logits that something else makes, in the graph: there they exist until backward.</summary>
    /// <param name="vocabulary">V.</param>
    /// <param name="logits">(m, C) to (m, V) float32.</param>
    public static Tensor Sum(Tensor hidden, long vocabulary, Tensor targets, Func<Tensor, Tensor> logits)
    {
        using var scope = NewDisposeScope();
        var total = zeros([], ScalarType.Float32, hidden.device);
        var step = Math.Max(16, ChunkElements / vocabulary);
        for (long at = 0; at < hidden.size(0); at += step)
        {
            using var inner = NewDisposeScope();
            var length = Math.Min(step, hidden.size(0) - at);
            total = total.add(nn.functional.cross_entropy(
                logits(hidden.narrow(0, at, length)), targets.narrow(0, at, length), reduction: nn.Reduction.Sum), Scalars.One)
                .MoveToOuterDisposeScope();
        }
        return total.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The loss, and where asked for its gradients: of softmax cross entropy by the logits it is the probabilities less one at
    /// the target.
    /// </summary>
    /// <param name="softCap">0: none.</param>
    /// <param name="hiddenGradient">(M, C), filled when given.</param>
    /// <param name="weightGradient">(V, C) float32, added to when given.</param>
    private static Tensor Run(Tensor hidden, WeightMatrix weight, Tensor targets, double softCap, Tensor? hiddenGradient,
        Tensor? weightGradient)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        long rows = hidden.size(0), step = Math.Max(16, (weight.Dense is null ? PackedChunkElements : ChunkElements) / weight.Rows);
        using Scalar bound = softCap;
        var total = zeros(1, ScalarType.Float32, hidden.device);
        for (long at = 0; at < rows; at += step)
        {
            using var inner = NewDisposeScope();
            var length = Math.Min(step, rows - at);
            var part = hidden.narrow(0, at, length);
            var target = targets.narrow(0, at, length).unsqueeze(1);                             // (m, 1)
            var logits = Product.Transposed(part, weight).to_type(ScalarType.Float32);         // (m, V)
            var bounded = softCap == 0 ? null : logits.div_(bound).tanh_();
            if (bounded is not null) logits = bounded.mul(bound);
            var norm = logits.logsumexp(1, keepdim: true);                                       // (m, 1)
            total.add_(norm.sum().sub(logits.gather(1, target).sum()));
            if (hiddenGradient is null && weightGradient is null) continue;
            var gradient = logits.sub_(norm).exp_();
            gradient.scatter_add_(1, target, full([length, 1], -1f, device: hidden.device));
            // Of the cap: 1 - tanh^2.
            if (bounded is not null) gradient.mul_(bounded.mul_(bounded).neg_().add_(Scalars.One));
            gradient = gradient.to_type(hidden.dtype);
            hiddenGradient?.narrow(0, at, length).copy_(Product.Straight(gradient, weight));
            weightGradient?.add_(Product.Transposed(gradient.t(), part.t()));
        }
        return total.squeeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Computes the gradients along with the loss, while the logits are there; backward only scales them. An exception in
    /// <c>backward</c> would end the process, so there is nothing in it that can fail.
    /// </summary>
    private sealed class LossFunction : torch.autograd.SingleTensorFunction<LossFunction>
    {
        public override string Name => nameof(ChunkedCrossEntropy);

        public override Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
        {
            var (hidden, dense, targets, softCap) = ((Tensor)vars[0], vars[1] as Tensor, (Tensor)vars[2], (double)vars[3]);
            var hiddenGradient = hidden.requires_grad ? empty_like(hidden) : null;
            // Summed over many chunks, which narrow types would lose.
            var weightGradient = dense is { requires_grad: true } ? zeros(dense.shape, ScalarType.Float32, dense.device) : null;
            var loss = Run(hidden, dense ?? (WeightMatrix)vars[1], targets, softCap, hiddenGradient, weightGradient);
            if (weightGradient is not null && dense!.dtype != ScalarType.Float32) weightGradient = weightGradient.to_type(dense.dtype);
            ctx.save_for_backward([.. new[] { hiddenGradient, weightGradient }.OfType<Tensor>()]);
            ctx.save_data("hidden", hiddenGradient is not null);
            ctx.save_data("weight", weightGradient is not null);
            return loss;
        }

        public override List<Tensor> backward(torch.autograd.AutogradContext ctx, Tensor gradient)
        {
            var saved = new Queue<Tensor>(ctx.get_saved_variables());
            Tensor? Next(string name) => (bool)ctx.get_data(name) ? saved.Dequeue().mul(gradient) : null;
            return [Next("hidden")!, Next("weight")!, null!, null!];
        }
    }
}
