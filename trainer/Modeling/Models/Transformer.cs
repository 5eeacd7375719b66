using Graft.Modeling.Adapters;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// What all networks share: named weights, linear layers and the adapters on them. The building blocks of an architecture take
/// their weights from here while they are made, and send their products through <see cref="Adapted"/>, so that adapters see each of them.
/// </summary>
public abstract class Transformer : IDisposable
{
    private readonly List<(string, Tensor)> weights = [];
    private readonly List<LinearSite> linears = [], heads = [];
    private readonly List<ResidualSite> residuals = [];
    private readonly List<NormSite> norms = [];
    private readonly List<PackedWeight> packed = [];
    private readonly WeightReader reader;

    private protected Transformer(WeightReader reader) => this.reader = reader;

    /// <summary>Every linear layer of the blocks, in the order of the forward pass.</summary>
    public IReadOnlyList<LinearSite> Linears => linears;

    /// <summary>Linear layers that give a classifier's answer, and the pooling before them where it is new.</summary>
    internal IReadOnlyList<LinearSite> Heads => heads;

    /// <summary>The linear layer that gives each token's logits, where there is one.</summary>
    internal virtual LinearSite? OutputHead => null;

    /// <summary>The table of token embeddings.</summary>
    internal EmbeddingSite? Embedding { get; private set; }

    /// <summary>Norms that have a bias, in the order of the forward pass.</summary>
    internal IReadOnlyList<NormSite> Norms => norms;

    /// <summary>Where the halves of the blocks meet the residual stream, in the order of the forward pass.</summary>
    internal IReadOnlyList<ResidualSite> Residuals => residuals;

    /// <summary>Every weight that is a tensor, under its Hugging Face name; a tied output head is not named twice.</summary>
    public IReadOnlyList<(string Name, Tensor Weight)> Weights => weights;

    /// <summary>The matrices that are packed.</summary>
    internal IReadOnlyList<PackedWeight> Packed => packed;

    private protected abstract Body Body { get; }

    /// <summary>What is being trained on this model; it answers for segments without an adapter of their own.</summary>
    internal TuningMethod? Tuning { get; set; }

    /// <summary>The adapters that are in the weights, the last one on top.</summary>
    internal Stack<MergedAdapter> Merged { get; } = [];

    /// <summary>Takes a weight from the file. What does not fit is told at the end, by <see cref="WeightReader.Finish"/>.</summary>
    internal Tensor Weight(string name, params long[] shape)
    {
        var weight = reader.Read(name, shape);
        weights.Add((name, weight));
        return weight;
    }

    /// <summary>Takes the table of token embeddings from the file, which may stay packed.</summary>
    /// <param name="name">Of the module.</param>
    internal WeightMatrix Table(string name, long rows, long columns)
    {
        Embedding = new EmbeddingSite(name, Keep(name + ".weight", reader.ReadMatrix(name + ".weight", rows, columns), turned: false));
        return Embedding.Table;
    }

    /// <summary>Takes the linear layer that gives each token's logits from the file.</summary>
    /// <param name="tied">The table of embeddings, where it is that.</param>
    internal LinearSite Output(string name, long rows, long columns, WeightMatrix? tied) => new(
        linears.Count + heads.Count, name,
        tied?.Alias() ?? Keep(name + ".weight", reader.ReadMatrix(name + ".weight", rows, columns), turned: false));

    /// <summary>Takes a norm with a bias from the file.</summary>
    internal NormSite Norm(string name, long size)
    {
        var site = new NormSite(norms.Count, name, Weight(name + ".weight", size), Weight(name + ".bias", size));
        norms.Add(site);
        return site;
    }

    /// <summary>Takes a linear layer from the file.</summary>
    /// <param name="inputFirst">Its weight is stored as (in, out).</param>
    internal LinearSite Site(string name, long outFeatures, long inFeatures, bool bias = false, bool inputFirst = false) =>
        ReadSite(linears, name, outFeatures, inFeatures, bias, inputFirst);

    /// <summary>Takes the linear layer that pools a text, which belongs to the head where it is as new as that.</summary>
    internal LinearSite Pooling(string name, int size) =>
        ReadSite(reader.Renews(name, isHead: false) ? heads : linears, name, size, size, bias: true, inputFirst: false);

    /// <summary>Takes a linear layer that gives the answer, which adapters of the blocks leave alone.</summary>
    internal LinearSite Head(string name, long outFeatures, long inFeatures, bool bias)
    {
        reader.Renews(name, isHead: true);
        return ReadSite(heads, name, outFeatures, inFeatures, bias, inputFirst: false);
    }

    /// <summary>Where the halves of a block meet the residual stream.</summary>
    /// <param name="at">The block's name with a dot behind it.</param>
    /// <param name="attention">What AdapterHub calls the place behind the attention.</param>
    /// <param name="feedForward">And the one behind the feed-forward.</param>
    internal BlockSites Block(string at, ModelConfig c, string attention = "attention_adapters", string feedForward = "output_adapters")
    {
        ResidualSite Add(string name, BlockHalf half)
        {
            var site = new ResidualSite(residuals.Count, at + name, half, c.HiddenSize);
            residuals.Add(site);
            return site;
        }
        return new BlockSites(Add(attention, BlockHalf.Attention), Add(feedForward, BlockHalf.FeedForward));
    }

    /// <summary>What the blocks are given for tokens: what a virtual token may begin as.</summary>
    /// <param name="ids">(M) int64, on the model's device.</param>
    /// <returns>(M, C).</returns>
    internal Tensor VectorsOf(Tensor ids) => Body.VectorsOf(ids);

    /// <summary>What stands before a text for which an adapter answers; null: the method being trained, or the base alone.</summary>
    public Lead LeadOf(LoadedAdapter? adapter) => AttachmentOf(adapter)?.Lead ?? default;

    /// <summary>Puts the keys and values into an empty cache that the adapter has before each text.</summary>
    internal void Prime(KvCache cache, LoadedAdapter? adapter)
    {
        if (AttachmentOf(adapter)?.Prefix is not { } prefix) return;
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        cache.Prime(prefix.KeysAndValues(cache.DType));
    }

    /// <summary>Finds out what answers for each segment of a pass, before anything is computed.</summary>
    private protected void Begin(Tensor ids, Pass pass)
    {
        if (ids.size(0) != pass.TokenCount)
            throw new ArgumentException($"{ids.size(0)} ids for a pass of {pass.TokenCount} tokens.", nameof(ids));
        pass.Bind(AttachmentOf);
    }

    /// <summary>Computes with another tensor in a matrix's place, and names it as a weight, until the result is called.</summary>
    /// <returns>To be called in the reverse order of the exchanges.</returns>
    internal Action Exchange(string name, WeightMatrix matrix, Tensor dense) => matrix.Exchange(dense) + Rename(name, dense);

    /// <summary>The same with a bias.</summary>
    internal Action ExchangeBias(LinearSite site, Tensor bias)
    {
        var old = site.Bias;
        site.Bias = bias;
        return Rename(site.Name + ".bias", bias) + (() => site.Bias = old);
    }

    /// <summary>The same with a norm's bias.</summary>
    internal Action ExchangeBias(NormSite site, Tensor bias)
    {
        var old = site.Bias;
        site.Bias = bias;
        return Rename(site.Name + ".bias", bias) + (() => site.Bias = old);
    }

    /// <summary>Names an output head that is tied no longer, until the result is called.</summary>
    internal Action Untie(string name, WeightMatrix head)
    {
        Keep(name, head, turned: false);
        return head.Dense is null ? () => packed.RemoveAt(packed.Count - 1) : () => weights.RemoveAt(weights.Count - 1);
    }

    /// <summary>A weight of that name is that tensor, whatever it was before.</summary>
    private Action Rename(string name, Tensor tensor)
    {
        if (weights.FindIndex(w => w.Item1 == name) is var at and >= 0)
        {
            var old = weights[at];
            weights[at] = (name, tensor);
            return () => weights[at] = old;
        }
        weights.Add((name, tensor));
        Action back = () => weights.RemoveAt(weights.Count - 1);
        if (packed.FindIndex(p => p.Name == name) is not (var place and >= 0)) return back;
        var was = packed[place];
        packed.RemoveAt(place);
        return back + (() => packed.Insert(place, was));
    }

    private protected Attachment? AttachmentOf(LoadedAdapter? adapter) =>
        adapter is not null ? adapter.Attachment : Tuning is { Enabled: true } tuning ? tuning.Attachment : null;

    private LinearSite ReadSite(List<LinearSite> list, string name, long outFeatures, long inFeatures, bool bias, bool inputFirst)
    {
        var matrix = reader.ReadLinear(name + ".weight", outFeatures, inFeatures, inputFirst, isHead: list == heads);
        var weight = Keep(name + ".weight", matrix, inputFirst);
        var site = new LinearSite(
            linears.Count + heads.Count, name, weight, bias ? Weight(name + ".bias", outFeatures) : null, inputFirst);
        list.Add(site);
        return site;
    }

    private WeightMatrix Keep(string name, WeightMatrix matrix, bool turned)
    {
        if (matrix.Dense is { } dense) weights.Add((name, dense));
        else packed.Add(new PackedWeight(name, matrix, turned));
        return matrix;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        foreach (var (_, weight) in weights) weight.Dispose();
        foreach (var (_, matrix, _) in packed) matrix.Dispose();
    }
}

/// <param name="Name">Of the file.</param>
/// <param name="IsTurned">The file has it the other way round.</param>
internal sealed record PackedWeight(string Name, WeightMatrix Matrix, bool IsTurned);
