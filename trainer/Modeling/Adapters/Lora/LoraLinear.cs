using Graft.Modeling.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Frozen linear layer and its low-rank update together: the update is added inside the products rather than beside them, and
/// only the input and the (N, r) middle are kept. On the processor it is one node of the graph, whose gradients are freed as
/// soon as they are handed on.
/// </summary>
internal static class LoraLinear
{
    /// <param name="input">(N, in).</param>
    /// <param name="weight">(out, in), frozen.</param>
    /// <param name="a">(r, in), in the input's element type.</param>
    /// <param name="b">(out, r), in the input's element type.</param>
    /// <returns>(N, out).</returns>
    public static Tensor Apply(Tensor input, WeightMatrix weight, Tensor a, Tensor b, double scale, GradientBin bin)
    {
        if (input.device_type == DeviceType.CPU && !weight.RequiresGradient) return Function.apply(input, weight, a, b, scale, bin);
        var inner = nn.functional.linear(input, a);
        return Plus(Product.Linear(input, weight, bin), inner, b, scale);
    }

    /// <summary>output + scale inner b', in place.</summary>
    private static Tensor Plus(Tensor output, Tensor inner, Tensor b, double scale)
    {
        // In float32 the product itself adds, without a second (N, out); narrower types have slow kernels for that.
        if (output.dtype == ScalarType.Float32) return output.addmm_(inner, b.t(), 1, (float)scale);
        using Scalar factor = scale;
        return output.add_(nn.functional.linear(inner, b), alpha: factor);
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        public override string Name => "lora_linear";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var (input, weight, a, b, scale) = ((Tensor)vars[0], (WeightMatrix)vars[1], (Tensor)vars[2], (Tensor)vars[3], (double)vars[4]);
            var inner = Product.Transposed(input, a);                                           // (N, r)
            var output = Plus(Product.Transposed(input, weight), inner, b, scale);
            // A dense weight may be a view that the caller gives up; a packed one is the model's.
            Tensor[] dense = weight.Dense is { } tensor ? [tensor] : [];
            ctx.save_for_backward([input, a, b, inner.MoveToOuterDisposeScope(), .. dense]);
            if (weight.Dense is null) ctx.save_data("weight", weight);
            ctx.save_data("input", input.requires_grad);
            ctx.save_data("scale", scale);
            Backward.Begin(ctx, vars[5]);
            return output.MoveToOuterDisposeScope();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var saved = ctx.get_saved_variables();
            var (input, a, b, inner) = (saved[0], saved[1], saved[2], saved[3]);
            var weight = saved.Count > 4 ? saved[4] : (WeightMatrix)ctx.get_data("weight");
            var scale = (double)ctx.get_data("scale");
            using Scalar factor = scale;
            var dInner = Product.Transposed(gradient, b.t()).mul_(factor);                      // (N, r)
            var dB = Product.Transposed(gradient.t(), inner.t()).mul_(factor);                  // (out, r)
            var dA = Product.Transposed(dInner.t(), input.t());                                 // (r, in)
            var dInput = (bool)ctx.get_data("input") ? Plus(Product.Straight(gradient, weight), dInner, a.t(), 1) : null;
            return Backward.End(
                ctx, gradient, dInput?.MoveToOuterDisposeScope(), null, dA.MoveToOuterDisposeScope(), dB.MoveToOuterDisposeScope(), null, null);
        }
    }
}
