using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Holds what a custom function's <c>backward</c> returned until the next one is called: by then the engine has its own
/// references. Without it these gradients would live as long as the step's dispose scope, that is, all at once.
/// </summary>
internal sealed class GradientBin : IDisposable
{
    private IReadOnlyList<Tensor> held = [];

    public void Replace(IReadOnlyList<Tensor> gradients)
    {
        Dispose();
        foreach (var gradient in gradients) gradient.DetachFromDisposeScope();
        held = gradients;
    }

    public void Dispose()
    {
        foreach (var gradient in held) gradient.Dispose();
        held = [];
    }
}
