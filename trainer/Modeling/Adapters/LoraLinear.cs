using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Frozen linear layer and its low-rank update as one node of the graph: the update is added inside the products rather than
/// beside them, and only the input and the (N, r) middle are kept.
/// </summary>
internal static class LoraLinear
{
    /// <param name="input">(N, in).</param>
    /// <param name="weight">(out, in), frozen.</param>
    /// <param name="a">(r, in), in the input's element type.</param>
    /// <param name="b">(out, r), in the input's element type.</param>
    /// <returns>(N, out).</returns>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor a, Tensor b, double scale)
    {
        var inner = nn.functional.linear(input, a);
        var output = nn.functional.linear(input, weight);
        // In float32 the update is added by the product itself, without a second (N, out); narrower types have slow kernels for that.
        return input.dtype == ScalarType.Float32
            ? output.addmm_(inner, b.t(), 1, (float)scale)
            : output.add_(nn.functional.linear(inner, b), alpha: scale);
    }
}
