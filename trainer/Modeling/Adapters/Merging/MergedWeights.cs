using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// What a model's weights become with an adapter in them. Each is made when it is asked for, in float32, so that no more than a layer
/// of them need exist at a time.
/// </summary>
internal sealed class MergedWeights : IDisposable
{
    /// <summary>The output head that may be tied to the table of token embeddings.</summary>
    public const string Head = "lm_head.weight";
    private readonly BaseModel model;
    private readonly Attachment attachment;
    private readonly Dictionary<string, Func<Tensor>> makers = new(StringComparer.Ordinal);
    private (int Site, Tensor Weight, Tensor? Bias)? last;

    private MergedWeights(BaseModel model, Attachment attachment)
    {
        (this.model, this.attachment) = (model, attachment);
        foreach (var site in Sites)
        {
            makers[site.Name + ".weight"] = () => Of(site).Weight.alias();
            if (site.Bias is not null) makers[site.Name + ".bias"] = () => Of(site).Bias!.alias();
        }
        foreach (var norm in Norms) makers[norm.Name + ".bias"] = () => attachment.BiasAt(norm)!.to_type(ScalarType.Float32, copy: true);
        if (attachment.Embedding is { } embedding) makers[Table.Name] = () => embedding.Merge(Wide(Table.Matrix));
        if (!model.Config.TiedEmbeddings || model.Transformer is not CausalLM network || Holds(Head)) return;
        // What was one weight is two, of which the adapter changes one.
        if (makers.ContainsKey(Head) || makers.ContainsKey(Table.Name)) Untied = (Head, network.OutputWeight);
    }

    /// <param name="dequantize">Packed matrices become dense ones; else they are refused.</param>
    /// <exception cref="TuningException">The adapter cannot be put into these weights; the message says what can be done instead.</exception>
    public static MergedWeights Of(BaseModel model, LoadedAdapter adapter, bool dequantize)
    {
        if (adapter.Attachment.Unmergeable is [_, ..] parts)
            throw new TuningException([$"the adapter '{adapter.Name}' ({adapter.Facts.Method}) cannot be merged: it puts "
                + $"{string.Join(" and ", parts)}, which no weight of the base can say; serve it beside its base"]);
        var merged = new MergedWeights(model, adapter.Attachment);
        var formats = model.Transformer.Packed.Where(p => merged.Changes(p.Name)).Select(p => p.Matrix.Format!)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (formats.Count > 0 && !dequantize)
            throw new TuningException([$"the base's weights are kept as {string.Join(", ", formats)}, and rounding them to that again would "
                + "lose what the adapter changes; merge into dequantised ones, or into the original model"]);
        return merged;
    }

    /// <summary>The output head that needs a weight of its own, because it was tied to a table that no longer is the same.</summary>
    public (string Name, WeightMatrix Matrix)? Untied { get; }

    /// <summary>Linear layers that change.</summary>
    public IEnumerable<LinearSite> Sites =>
        LoraModules.AllLinears(model.Transformer).Where(s => attachment.At(s) is not null);

    /// <summary>Norms whose bias changes.</summary>
    public IEnumerable<NormSite> Norms => model.Transformer.Norms.Where(n => attachment.BiasAt(n) is not null);

    /// <summary>The table of token embeddings, where it changes.</summary>
    public (string Name, WeightMatrix Matrix)? ChangedTable => attachment.Embedding is null ? null : Table;

    public bool Changes(string name) => makers.ContainsKey(name);

    /// <summary>A weight that changes, laid out as the model has it: float32, the caller's.</summary>
    public Tensor Make(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        return makers[name]().MoveToOuterDisposeScope();
    }

    public void Dispose() => Forget();

    private (string Name, WeightMatrix Matrix) Table =>
        model.Transformer.Embedding is { } site ? (site.Name + ".weight", site.Table)
            : throw new InvalidOperationException("The model embeds no tokens.");

    private bool Holds(string name) =>
        model.Transformer.Weights.Any(w => w.Name == name) || model.Transformer.Packed.Any(p => p.Name == name);

    /// <summary>Weight and bias come from one product, and are asked for one after the other.</summary>
    private (Tensor Weight, Tensor? Bias) Of(LinearSite site)
    {
        if (last is { } made && made.Site == site.Index) return (made.Weight, made.Bias);
        Forget();
        using var scope = NewDisposeScope();
        var (weight, bias) = attachment.At(site)!.Merge(Wide(site.Matrix), site.Bias?.to_type(ScalarType.Float32));
        if (bias is not null && site.Bias is null)
            throw new TuningException([$"the adapter gives {site.Name} a bias, for which a {model.Config.ModelType} model has no place"]);
        if (site.InputFirst) weight = weight.t().contiguous();
        last = (site.Index, weight.DetachFromDisposeScope(), bias?.DetachFromDisposeScope());
        return (weight, bias);
    }

    private void Forget()
    {
        last?.Weight.Dispose();
        last?.Bias?.Dispose();
        last = null;
    }

    private static Tensor Wide(WeightMatrix matrix) =>
        matrix.Dense?.to_type(ScalarType.Float32) ?? matrix.Packed!.Widen(0, matrix.Rows, ScalarType.Float32);
}
