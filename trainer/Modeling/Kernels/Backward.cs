using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// What the custom functions here share. TorchSharp would keep what a function saved, what came in and what went out to the
/// end of the step, all layers' at once; so each <c>backward</c> frees its own. The graph can be gone through only once.
/// </summary>
internal static class Backward
{
    private const string Bin = "bin";

    /// <summary>In <c>forward</c>: remembers where gradients go.</summary>
    /// <param name="bin">The pass's <see cref="GradientBin"/>, or null: then gradients live as long as the step's dispose scope.</param>
    public static void Begin(autograd.AutogradContext ctx, object? bin) => ctx.save_data(Bin, bin!);

    /// <summary>Ends a <c>backward</c>.</summary>
    /// <param name="gradient">What came in.</param>
    /// <param name="results">What goes out, outside the function's own dispose scope; null where there is none.</param>
    public static List<Tensor> End(autograd.AutogradContext ctx, Tensor gradient, params Tensor?[] results)
    {
        (ctx.get_data(Bin) as GradientBin)?.Replace([.. results.OfType<Tensor>()]);
        ctx.Dispose();
        gradient.Dispose();
        return [.. results.Select(r => r!)];
    }
}
