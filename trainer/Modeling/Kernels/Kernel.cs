using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Puts <see cref="CpuKernels"/> into the graph. An exception in a custom function's <c>backward</c> would end the process, so
/// everything that could fail is checked before.
/// </summary>
internal static unsafe class Kernel
{
    /// <summary>Whether the kernels take this tensor: float32, on the processor, contiguous.</summary>
    public static bool Takes(Tensor x) => x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU && x.is_contiguous();

    /// <param name="gate">(N, F).</param>
    /// <param name="up">(N, F).</param>
    public static Tensor Gated(Tensor gate, Tensor up, SigmoidCurve curve, GradientBin? bin) =>
        Tracked(gate, up) ? GatedFunction.apply(gate, up, curve, bin!) : GatedFunction.Run(gate, up, curve);

    /// <param name="x">(N, C).</param>
    /// <param name="weight">(C).</param>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon, GradientBin? bin)
    {
        if (Tracked(x, weight)) return RmsNormFunction.apply(x, weight, epsilon, bin!);
        var (y, scale) = RmsNormFunction.Run(x, weight, epsilon);
        scale.Dispose();
        return y;
    }

    /// <param name="x">(N, H, D).</param>
    /// <param name="cos">(N, 1, D / 2).</param>
    /// <param name="sin">(N, 1, D / 2).</param>
    public static Tensor Rotate(Tensor x, Tensor cos, Tensor sin, GradientBin? bin) =>
        Tracked(x, x) ? RotateFunction.apply(x, cos, sin, bin!) : RotateFunction.Run(x, cos, sin, false);

    private static bool Tracked(Tensor a, Tensor b) => is_grad_enabled() && (a.requires_grad || b.requires_grad);

    private sealed class GatedFunction : autograd.SingleTensorFunction<GatedFunction>
    {
        public override string Name => "gated";

        public static Tensor Run(Tensor gate, Tensor up, SigmoidCurve curve)
        {
            Decoding.Fits(gate.numel() == up.numel(), gate, up);
            var y = empty_like(gate);
            var count = gate.numel();
            TensorMemory.Use<float>(gate, up, y, (g, u, to) => CpuKernels.Gated(g, u, to, count, curve));
            return y;
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (gate, up, curve) = ((Tensor)vars[0], (Tensor)vars[1], (SigmoidCurve)vars[2]);
            ctx.save_for_backward([gate, up]);
            ctx.save_data("curve", curve);
            Backward.Begin(ctx, vars[3]);
            return Run(gate, up, curve);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var (dGate, dUp) = (empty_like(saved[0]), empty_like(saved[1]));
            var curve = (SigmoidCurve)ctx.get_data("curve");
            var count = dGate.numel();
            TensorMemory.Use<float>(gradient.contiguous(), saved[0], saved[1], dGate, dUp,
                (dy, gate, up, dg, du) => CpuKernels.GatedBackward(dy, gate, up, dg, du, count, curve));
            return Backward.End(ctx, gradient, dGate.MoveToOuterDisposeScope(), dUp.MoveToOuterDisposeScope(), null, null);
        }
    }

    private sealed class RmsNormFunction : autograd.SingleTensorFunction<RmsNormFunction>
    {
        public override string Name => "rms_norm";

        public static (Tensor Y, Tensor Scale) Run(Tensor x, Tensor weight, double epsilon)
        {
            Decoding.Fits(x.dim() == 2 && weight.numel() == x.size(1), x, weight);
            var (y, scale) = (empty_like(x), empty([x.size(0)], ScalarType.Float32));
            var (rows, width) = (x.size(0), (int)x.size(1));
            TensorMemory.Use<float>(x, weight, y, scale, (from, w, to, k) => CpuKernels.RmsNorm(from, w, to, k, rows, width, (float)epsilon));
            return (y, scale);
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, weight) = ((Tensor)vars[0], (Tensor)vars[1]);
            var (y, scale) = Run(x, weight, (double)vars[2]);
            ctx.save_for_backward([x, weight, scale]);
            ctx.save_data("weight", weight.requires_grad);
            Backward.Begin(ctx, vars[3]);
            return y;
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var (x, weight, factor) = (saved[0], saved[1], saved[2]);
            var dy = gradient.contiguous();
            var dx = empty_like(x);
            var (rows, width) = (x.size(0), (int)x.size(1));
            TensorMemory.Use<float>(dy, x, weight, factor, dx,
                (d, from, w, k, to) => CpuKernels.RmsNormBackward(d, from, w, k, to, rows, width));
            var dWeight = (bool)ctx.get_data("weight") ? dy.mul(x).mul_(factor.unsqueeze(1)).sum(dim: 0) : null;
            return Backward.End(ctx, gradient, dx.MoveToOuterDisposeScope(), dWeight?.MoveToOuterDisposeScope(), null, null);
        }
    }

    private sealed class RotateFunction : autograd.SingleTensorFunction<RotateFunction>
    {
        public override string Name => "rotate";

        public static Tensor Run(Tensor x, Tensor cos, Tensor sin, bool backwards)
        {
            Decoding.Fits(x.dim() == 3 && cos.numel() == x.size(0) * (x.size(2) / 2) && sin.numel() == cos.numel(), x, cos);
            var y = empty_like(x);
            var (rows, heads, half) = (x.size(0), (int)x.size(1), (int)x.size(2) / 2);
            TensorMemory.Use<float>(x, cos, sin, y, (from, c, s, to) => CpuKernels.Rotate(from, c, s, to, rows, heads, half, backwards));
            return y;
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (cos, sin) = ((Tensor)vars[1], (Tensor)vars[2]);
            ctx.save_for_backward([cos, sin]);
            Backward.Begin(ctx, vars[3]);
            return Run((Tensor)vars[0], cos, sin, backwards: false);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            var saved = ctx.get_saved_variables();
            var dx = Run(gradient.contiguous(), saved[0], saved[1], backwards: true);
            return Backward.End(ctx, gradient, dx.MoveToOuterDisposeScope(), null, null, null);
        }
    }
}
