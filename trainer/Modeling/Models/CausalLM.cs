using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A decoder. N: tokens of a pass; C: hidden size; V: vocabulary.</summary>
public abstract class CausalLM : IDisposable
{
    /// <param name="ids">(N) int64, on the model's device.</param>
    /// <returns>(N, C) after the last norm.</returns>
    public abstract Tensor Forward(Tensor ids, Pass pass);

    /// <param name="hidden">(M, C): the rows wanted.</param>
    /// <returns>(M, V) float32.</returns>
    public abstract Tensor Logits(Tensor hidden);

    /// <summary>(V, C): the output head, which may be the embedding.</summary>
    public abstract Tensor OutputWeight { get; }

    /// <summary>Every linear layer of the blocks, in the order of the forward pass.</summary>
    public abstract IReadOnlyList<LinearSite> Linears { get; }

    /// <summary>Every weight under its Hugging Face name; a tied output head is not named twice.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Weight)> Weights { get; }

    /// <summary>What is being trained on this model; it answers for segments without an adapter of their own.</summary>
    internal TuningMethod? Tuning { get; set; }

    /// <summary>A linear layer with the adapters of the pass.</summary>
    /// <param name="x">(N, in).</param>
    /// <returns>(N, out).</returns>
    private protected Tensor Linear(LinearSite site, Tensor x, Pass pass)
    {
        if (pass.Spans is [var all])
            return AdapterFor(site, all.Adapter) is { } only ? only.Forward(x, site.Weight, pass.Gradients) : Product.Linear(x, site.Weight, pass.Gradients);
        var y = Product.Linear(x, site.Weight, pass.Gradients);
        foreach (var (start, length, adapter) in pass.Spans)
        {
            if (AdapterFor(site, adapter) is not { } found) continue;
            using var rows = y.narrow(0, start, length);
            using var inputs = x.narrow(0, start, length);
            found.AddTo(rows, inputs);
        }
        return y;
    }

    private LinearAdapter? AdapterFor(LinearSite site, LoadedAdapter? adapter) =>
        adapter is not null ? adapter.At(site) : Tuning is { Enabled: true } tuning ? tuning.At(site) : null;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
