using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Weighted sums of tensors of one shape, as PEFT's <c>merge_utils</c> defines them.</summary>
internal static class FactorSums
{
    /// <param name="tensors">Float32.</param>
    /// <param name="factors">What each counts.</param>
    /// <param name="rng">What chance keeps.</param>
    public static Tensor Of(CombinationOptions options, IReadOnlyList<Tensor> tensors, IReadOnlyList<double> factors, Generator rng) =>
        options.Method switch
        {
            LoraCombination.Linear => Sum(tensors, factors),
            LoraCombination.Ties => Agreeing([.. tensors.Select(t => Largest(t, options.Density))], factors),
            LoraCombination.DareLinear => Sum([.. tensors.Select(t => ByChance(t, options.Density, rng))], factors),
            LoraCombination.DareTies => Agreeing([.. tensors.Select(t => ByChance(t, options.Density, rng))], factors),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Method, "sums no factors"),
        };

    private static Tensor Sum(IReadOnlyList<Tensor> tensors, IReadOnlyList<double> factors) =>
        tensors.Select((tensor, i) => tensor.mul((float)factors[i])).Aggregate((sum, next) => sum.add(next));

    /// <summary>
    /// The mean over those whose sign is that of the sum of all, element by element. The sum's sign is by values, not by votes.
    /// </summary>
    private static Tensor Agreeing(IReadOnlyList<Tensor> tensors, IReadOnlyList<double> factors)
    {
        var all = stack(tensors);                                                       // (adapters, ...)
        var elected = all.sum([0]).ge(0).to_type(ScalarType.Float32).mul(2).sub(1);
        var agrees = all.sign().eq(elected).to_type(ScalarType.Float32);
        var counts = tensor(factors.Select(f => (float)f).ToArray()).view([-1, .. Enumerable.Repeat(1L, (int)all.dim() - 1)]);
        return all.mul(counts).mul(agrees).sum([0]).div(agrees.sum([0]).clamp_min(1));
    }

    private static Tensor Largest(Tensor tensor, double density)
    {
        if (density >= 1) return tensor;
        var flat = tensor.reshape(-1);
        var (_, kept) = flat.abs().topk((int)(density * flat.numel()));
        return zeros_like(flat).index_copy_(0, kept, flat.index_select(0, kept)).view(tensor.shape);
    }

    private static Tensor ByChance(Tensor tensor, double density, Generator rng) => density >= 1 ? tensor
        : tensor.mul(rand(tensor.shape, ScalarType.Float32, generator: rng).lt(density).to_type(ScalarType.Float32)).div((float)density);
}
