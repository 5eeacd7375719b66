using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// What all networks share: named weights, linear layers and the adapters on them. The building blocks of an architecture take
/// their weights from here while they are made, and send their products through here, so that adapters see each of them.
/// </summary>
public abstract class Transformer : IDisposable
{
    private readonly List<(string, Tensor)> weights = [];
    private readonly List<LinearSite> linears = [];
    private readonly List<PackedWeight> packed = [];
    private readonly WeightReader reader;

    private protected Transformer(WeightReader reader) => this.reader = reader;

    /// <summary>Every linear layer of the blocks, in the order of the forward pass.</summary>
    public IReadOnlyList<LinearSite> Linears => linears;

    /// <summary>Every weight that is a tensor, under its Hugging Face name; a tied output head is not named twice.</summary>
    public IReadOnlyList<(string Name, Tensor Weight)> Weights => weights;

    /// <summary>The matrices that are packed.</summary>
    internal IReadOnlyList<PackedWeight> Packed => packed;

    /// <summary>What is being trained on this model; it answers for segments without an adapter of their own.</summary>
    internal TuningMethod? Tuning { get; set; }

    /// <summary>Takes a weight from the file. What does not fit is told at the end, by <see cref="WeightReader.Finish"/>.</summary>
    internal Tensor Weight(string name, params long[] shape)
    {
        var weight = reader.Read(name, shape);
        weights.Add((name, weight));
        return weight;
    }

    /// <summary>Takes a matrix from the file, which may stay packed: an embedding, or an output head.</summary>
    internal WeightMatrix Matrix(string name, long rows, long columns) => Keep(name, reader.ReadMatrix(name, rows, columns), turned: false);

    /// <summary>Takes a linear layer from the file.</summary>
    /// <param name="inputFirst">Its weight is stored as (in, out).</param>
    internal LinearSite Site(string name, long outFeatures, long inFeatures, bool bias = false, bool inputFirst = false)
    {
        var site = ReadSite(linears.Count, name, outFeatures, inFeatures, bias, inputFirst);
        linears.Add(site);
        return site;
    }

    /// <summary>Takes a linear layer that gives the answer, which adapters leave alone.</summary>
    internal LinearSite Head(string name, long outFeatures, long inFeatures, bool bias) =>
        ReadSite(-1, name, outFeatures, inFeatures, bias, inputFirst: false);

    /// <summary>A linear layer with the adapters of the pass.</summary>
    /// <param name="x">(N, in).</param>
    /// <returns>(N, out).</returns>
    internal Tensor Linear(LinearSite site, Tensor x, Pass pass) => Linear(site, x, pass, pass.Spans);

    /// <summary>The same on rows that stand for whole texts.</summary>
    /// <param name="x">(B, in): a row for each segment.</param>
    /// <returns>(B, out).</returns>
    internal Tensor LinearOfTexts(LinearSite site, Tensor x, Pass pass) =>
        Linear(site, x, pass, [.. pass.Segments.Select((s, i) => (i, 1, s.Adapter))]);

    private Tensor Linear(LinearSite site, Tensor x, Pass pass, IReadOnlyList<(int Start, int Length, LoadedAdapter? Adapter)> spans)
    {
        if (spans is [var all])
        {
            if (AdapterFor(site, all.Adapter) is not { } only) return Product.Linear(x, site.Matrix, site.Bias, pass.Gradients);
            var tuned = only.Forward(x, site.Matrix, pass.Gradients);
            return site.Bias is { } bias ? tuned.add_(bias) : tuned;
        }
        var y = Product.Linear(x, site.Matrix, site.Bias, pass.Gradients);
        foreach (var (start, length, adapter) in spans)
        {
            if (AdapterFor(site, adapter) is not { } found) continue;
            using var rows = y.narrow(0, start, length);
            using var inputs = x.narrow(0, start, length);
            found.AddTo(rows, inputs);
        }
        return y;
    }

    private protected static void CheckTokens(Tensor ids, Pass pass)
    {
        if (ids.size(0) != pass.TokenCount)
            throw new ArgumentException($"{ids.size(0)} ids for a pass of {pass.TokenCount} tokens.", nameof(ids));
    }

    private LinearSite ReadSite(int index, string name, long outFeatures, long inFeatures, bool bias, bool inputFirst)
    {
        var matrix = reader.ReadLinear(name + ".weight", outFeatures, inFeatures, inputFirst, isHead: index < 0);
        var weight = Keep(name + ".weight", matrix, inputFirst);
        return new LinearSite(index, name, weight, bias ? Weight(name + ".bias", outFeatures) : null, inputFirst);
    }

    private WeightMatrix Keep(string name, WeightMatrix matrix, bool turned)
    {
        if (matrix.Dense is { } dense) weights.Add((name, dense));
        else packed.Add(new PackedWeight(name, matrix, turned));
        return matrix;
    }

    private LinearAdapter? AdapterFor(LinearSite site, LoadedAdapter? adapter) =>
        adapter is not null ? adapter.At(site) : Tuning is { Enabled: true } tuning ? tuning.At(site) : null;

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
