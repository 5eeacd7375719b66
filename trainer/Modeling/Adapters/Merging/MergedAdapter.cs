using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// An adapter in the base model's weights: the model answers as base and adapter did together, at the speed of the base. The weights
/// that it replaces are kept, not computed back, so that taking it out restores them bit for bit.
/// </summary>
/// <remarks>
/// Several may be merged one on another, and are taken out in the reverse order. An output head that was tied to the table of embeddings
/// is one of its own while only one of the two is changed. Not while something computes with the model.
/// </remarks>
public sealed class MergedAdapter : IDisposable
{
    private readonly BaseModel model;
    private readonly string name;
    private readonly Stack<Action> undo = [];
    private readonly List<Tensor> made = [];

    private MergedAdapter(BaseModel model, string name) => (this.model, this.name) = (model, name);

    /// <summary>Puts the adapter into the weights. It is needed no longer then; the model must outlive the result.</summary>
    /// <param name="dequantize">Packed matrices that change become dense ones, in the element type that the model computes in.</param>
    /// <exception cref="TuningException">It cannot be put into these weights; the message says what can be done instead.</exception>
    public static MergedAdapter Into(BaseModel model, LoadedAdapter adapter, bool dequantize = false)
    {
        using var weights = MergedWeights.Of(model, adapter, dequantize);
        var merged = new MergedAdapter(model, adapter.Name);
        try
        {
            merged.Put(weights);
        }
        catch
        {
            merged.Restore();
            throw;
        }
        model.Transformer.Merged.Push(merged);
        return merged;
    }

    /// <summary>Takes it out.</summary>
    /// <exception cref="InvalidOperationException">Another one was merged on top of it.</exception>
    public void Dispose()
    {
        if (undo.Count == 0) return;
        var top = model.Transformer.Merged.Peek();
        if (top != this) throw new InvalidOperationException($"The adapter '{top.name}' was merged on top of '{name}': take it out first.");
        model.Transformer.Merged.Pop();
        Restore();
    }

    private void Put(MergedWeights weights)
    {
        var network = model.Transformer;
        foreach (var site in weights.Sites)
        {
            // The bias first: what it is made from is not replaced yet.
            if (site.Bias is not null) undo.Push(network.ExchangeBias(site, Make(weights, site.Name + ".bias")));
            undo.Push(network.Exchange(site.Name + ".weight", site.Weight, Make(weights, site.Name + ".weight")));
        }
        foreach (var norm in weights.Norms) undo.Push(network.ExchangeBias(norm, Make(weights, norm.Name + ".bias")));
        if (weights.ChangedTable is (var table, var matrix)) undo.Push(network.Exchange(table, matrix, Make(weights, table)));
        if (weights.Untied is (var head, var output) && !weights.Changes(head)) undo.Push(network.Untie(head, output));
    }

    private Tensor Make(MergedWeights weights, string weight)
    {
        using var scope = NewDisposeScope();
        var tensor = weights.Make(weight).to_type(model.DType).DetachFromDisposeScope();
        made.Add(tensor);
        return tensor;
    }

    private void Restore()
    {
        while (undo.TryPop(out var back)) back();
        foreach (var tensor in made) tensor.Dispose();
        made.Clear();
    }
}
