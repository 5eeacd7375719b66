using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Makes the first values of a tensor that is to be trained.</summary>
/// <returns>float32 on the processor, of that shape.</returns>
internal delegate Tensor Draw(long[] shape, Generator rng);

/// <summary>The ways in which methods begin.</summary>
internal static class Initial
{
    public static Draw Zero { get; } = (shape, _) => zeros(shape, ScalarType.Float32);

    public static Draw One { get; } = (shape, _) => ones(shape, ScalarType.Float32);

    public static Draw Uniform(double within) => (shape, rng) => empty(shape, ScalarType.Float32).uniform_(-within, within, rng);

    public static Draw Normal(double deviation) => (shape, rng) => empty(shape, ScalarType.Float32).normal_(0, deviation, rng);

    /// <summary>Normal within two deviations.</summary>
    public static Draw TruncatedNormal(double deviation) => (shape, rng) =>
        // Uniform over the probabilities that lie within, and back: erf(2 / sqrt(2)) of them do.
        empty(shape, ScalarType.Float32).uniform_(-0.954499736103642, 0.954499736103642, rng).erfinv().mul(deviation * Math.Sqrt(2));

    /// <summary>What a tensor of the base model has.</summary>
    public static Draw CopyOf(Tensor tensor) => (_, _) => tensor.detach().to_type(ScalarType.Float32).cpu().clone();
}
