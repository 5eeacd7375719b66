using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>Products of activations and weights, by whichever of libtorch's libraries is fast on this processor.</summary>
internal static class Product
{
    /// <summary>x w'. In the graph where gradients are asked for.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, out).</returns>
    public static Tensor Linear(Tensor x, Tensor weight, GradientBin? bin = null)
    {
        if (Decoding.Takes(x, weight)) return Decoding.Linear(x, weight);
        if (!OneDnn(x, weight)) return nn.functional.linear(x, weight);
        return is_grad_enabled() && (x.requires_grad || weight.requires_grad)
            ? LinearFunction.apply(x, weight, bin!) : Aten.OneDnnLinear(x, weight);
    }

    /// <summary>x w' + bias.</summary>
    /// <param name="bias">(out), or null.</param>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias, GradientBin? bin)
    {
        if (bias is null) return Linear(x, weight, bin);
        return OneDnn(x, weight) || Decoding.Takes(x, weight) ? Linear(x, weight, bin).add_(bias) : nn.functional.linear(x, weight, bias);
    }

    /// <summary>x w', where the weight may be packed.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, out).</returns>
    public static Tensor Linear(Tensor x, WeightMatrix weight, GradientBin? bin = null) =>
        weight.Dense is { } dense ? Linear(x, dense, bin)
        : is_grad_enabled() && x.requires_grad ? PackedProduct.Linear(x, weight, bin) : Transposed(x, weight);

    /// <summary>x w' + bias, where the weight may be packed.</summary>
    /// <param name="bias">(out), or null.</param>
    public static Tensor Linear(Tensor x, WeightMatrix weight, Tensor? bias, GradientBin? bin)
    {
        if (weight.Dense is { } dense) return Linear(x, dense, bias, bin);
        var y = Linear(x, weight, bin);
        return bias is null ? y : y.add_(bias);
    }

    /// <summary>x w', outside the graph.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, out).</returns>
    public static Tensor Transposed(Tensor x, WeightMatrix weight) =>
        weight.Dense is { } dense ? Transposed(x, dense) : PackedProduct.Transposed(x, weight.Packed!, weight.DType);

    /// <summary>g w, outside the graph: the gradient by a layer's input.</summary>
    /// <param name="g">(N, out).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, in).</returns>
    public static Tensor Straight(Tensor g, WeightMatrix weight) =>
        weight.Dense is { } dense ? Straight(g, dense) : PackedProduct.Straight(g, weight.Packed!, weight.DType);

    /// <summary>a b, outside the graph.</summary>
    /// <param name="a">(M, K), of any strides.</param>
    /// <param name="b">(K, N), of any strides.</param>
    /// <returns>(M, N).</returns>
    public static Tensor Straight(Tensor a, Tensor b)
    {
        using var turned = b.t();
        return Transposed(a, turned);
    }

    /// <summary>a b', outside the graph.</summary>
    /// <param name="a">(M, K), of any strides.</param>
    /// <param name="b">(N, K), of any strides.</param>
    /// <returns>(M, N).</returns>
    public static Tensor Transposed(Tensor a, Tensor b)
    {
        using var noGrad = no_grad();
        return OneDnn(a, b) ? Aten.OneDnnLinear(a, b) : nn.functional.linear(a, b);
    }

    private static bool OneDnn(Tensor a, Tensor b) =>
        Aten.HasOneDnnLinear && Processor.Current.PrefersOneDnn
        && a.device_type == DeviceType.CPU && a.dtype == ScalarType.Float32 && b.dtype == ScalarType.Float32;

    private sealed class LinearFunction : autograd.SingleTensorFunction<LinearFunction>
    {
        public override string Name => "linear";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, weight) = ((Tensor)vars[0], (Tensor)vars[1]);
            ctx.save_for_backward([x, weight]);
            ctx.save_data("x", x.requires_grad);
            ctx.save_data("weight", weight.requires_grad);
            Backward.Begin(ctx, vars[2]);
            return Transposed(x, weight);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var dx = (bool)ctx.get_data("x") ? Transposed(gradient, saved[1].t()) : null;
            var dWeight = (bool)ctx.get_data("weight") ? Transposed(gradient.t(), saved[0].t()) : null;
            return Backward.End(ctx, gradient, dx?.MoveToOuterDisposeScope(), dWeight?.MoveToOuterDisposeScope(), null);
        }
    }
}
