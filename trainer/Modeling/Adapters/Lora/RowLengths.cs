using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Lengths of the rows of W + s B A, without that sum: |w|² + 2 s (A w) b + s² b (A A') b for a row w of W and b of B. The first term is
/// found once, as W is frozen; the others cost r / N of the layer's product with N tokens.
/// </summary>
internal sealed class RowLengths(LoraLayer update) : IDisposable
{
    private readonly TorchSharp.Scalar twice = 2 * update.Scale, squared = update.Scale * update.Scale, least = 0;
    private Tensor? squares;

    /// <param name="weight">W (out, in).</param>
    /// <returns>(out) float32, outside the graph.</returns>
    public Tensor Of(WeightMatrix weight)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        squares ??= Squares(weight).DetachFromDisposeScope();
        var (a, b) = (update.Down(ScalarType.Float32), update.Up(ScalarType.Float32));
        var across = Product.Transposed(a.to_type(weight.DType), weight).to_type(ScalarType.Float32).t();   // (out, r): W A'
        var own = b.matmul(a.matmul(a.t()));                                                     // (out, r): B A A'
        var found = squares.add(across.mul(b).sum(1), alpha: twice).add_(own.mul(b).sum(1), alpha: squared);
        return found.clamp_(min: least).sqrt_().MoveToOuterDisposeScope();
    }

    /// <summary>Squared lengths of the rows, some rows at a time.</summary>
    /// <param name="weight">(out, in).</param>
    /// <returns>(out) float32, outside the graph.</returns>
    public static Tensor Squares(WeightMatrix weight)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (parts, step) = (new List<Tensor>(), Math.Max(1, PackedProduct.PartElements / weight.Columns));
        for (long first = 0; first < weight.Rows; first += step)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(step, weight.Rows - first);
            var rows = weight.Dense?.narrow(0, first, count).to_type(ScalarType.Float32)
                ?? weight.Packed!.Widen(first, count, ScalarType.Float32);
            parts.Add(rows.square().sum(1).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    public void Dispose() => squares?.Dispose();
}
