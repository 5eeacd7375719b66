using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Products with a <see cref="PackedMatrix"/>: some rows of it are widened, used, and given up before the next. So the most that
/// a layer adds to memory is one such part, in forward and in backward.
/// </summary>
internal static class PackedProduct
{
    /// <summary>Elements of a part: 4 MiB of float32, which the processor's caches hold, and enough to multiply at full speed.</summary>
    public const long PartElements = 1 << 20;

    /// <summary>x w', outside the graph.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, out).</returns>
    public static Tensor Transposed(Tensor x, PackedMatrix weight, ScalarType dtype)
    {
        if (weight.TryMultiply(x) is { } few) return few;
        using var noGrad = no_grad();
        var rows = PartRows(weight);
        if (rows >= weight.Rows)
        {
            using var whole = weight.Widen(0, weight.Rows, dtype);
            return Product.Transposed(x, whole);
        }
        var y = empty([x.size(0), weight.Rows], dtype, x.device);
        for (long first = 0; first < weight.Rows; first += rows)
        {
            var count = Math.Min(rows, weight.Rows - first);
            using var part = weight.Widen(first, count, dtype);                                  // (count, in)
            using var product = Product.Transposed(x, part);                                     // (N, count)
            using var place = y.narrow(1, first, count);
            place.copy_(product);
        }
        return y;
    }

    /// <summary>g w, outside the graph: the gradient by the layer's input. Summed in float32 over the parts.</summary>
    /// <param name="g">(N, out).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, in).</returns>
    public static Tensor Straight(Tensor g, PackedMatrix weight, ScalarType dtype)
    {
        using var noGrad = no_grad();
        var rows = PartRows(weight);
        if (rows >= weight.Rows)
        {
            using var whole = weight.Widen(0, weight.Rows, dtype);
            return Product.Straight(g, whole);
        }
        var sum = zeros([g.size(0), weight.Columns], ScalarType.Float32, g.device);
        for (long first = 0; first < weight.Rows; first += rows)
        {
            var count = Math.Min(rows, weight.Rows - first);
            using var part = weight.Widen(first, count, dtype);                                  // (count, in)
            using var gradient = g.narrow(1, first, count);                                      // (N, count)
            using var product = Product.Straight(gradient, part);                                // (N, in)
            sum.add_(product);
        }
        if (dtype == ScalarType.Float32) return sum;
        using (sum) return sum.to_type(dtype);
    }

    /// <summary>x w' in the graph.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    public static Tensor Linear(Tensor x, WeightMatrix weight, GradientBin? bin) => Function.apply(x, weight, bin!);

    private static long PartRows(PackedMatrix weight) => Math.Max(1, PartElements / weight.Columns);

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        public override string Name => "packed_linear";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, weight) = ((Tensor)vars[0], (WeightMatrix)vars[1]);
            ctx.save_data("weight", weight);
            Backward.Begin(ctx, vars[2]);
            return Product.Transposed(x, weight);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var dx = Product.Straight(gradient, (WeightMatrix)ctx.get_data("weight"));
            return Backward.End(ctx, gradient, dx.MoveToOuterDisposeScope(), null, null);
        }
    }
}
