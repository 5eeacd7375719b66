using Graft.Modeling.Files;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// Hands a network its weights, and finds out whether file and network fit: what is missing, what has another shape, what
/// nobody asked for. All of it is in one message.
/// </summary>
/// <param name="fresh">Draws the layers of a classifier's head that the file lacks; null: nothing may be lacking.</param>
/// <param name="newHead">Draws all of the head, whatever the file has.</param>
internal sealed class WeightReader(string path, IWeights weights, LoadOptions options, IWeights? fresh = null, bool newHead = false)
{
    private readonly ScalarType dtype = options.DType;
    private readonly Device device = options.Device;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly List<string> missing = [], misshapen = [], layers = [];
    private readonly bool drawn = weights is RandomWeights;

    /// <summary>Linear layers that are new.</summary>
    public IReadOnlyList<string> NewLayers => layers;

    /// <summary>Whether a linear layer is to be drawn, which it is from then on.</summary>
    /// <param name="isHead">It gives the answer; otherwise it is the pooling before that.</param>
    public bool Renews(string layer, bool isHead)
    {
        var renews = fresh is not null && !drawn && ((isHead && newHead) || !Has(layer + ".weight"));
        if (renews) layers.Add(layer);
        return renews;
    }

    /// <summary>Whether there is such a weight, for parts that a model may lack.</summary>
    public bool Has(string name) => drawn || weights.ShapeOf(name) is not null;

    /// <summary>Detached from dispose scopes; the network owns it. A missing weight is reported by <see cref="Finish"/>.</summary>
    public Tensor Read(string name, params long[] shape)
    {
        asked.Add(name);
        var isNew = IsNew(name);
        if (!drawn && !isNew)
        {
            if (weights.ShapeOf(name) is not { } found) missing.Add(name);
            else if (!found.SequenceEqual(shape)) misshapen.Add($"'{name}' is [{string.Join(", ", found)}] instead of [{string.Join(", ", shape)}]");
            if (missing.Count + misshapen.Count > 0) return empty(shape, dtype, META).DetachFromDisposeScope();
        }
        if (device.type == TorchSharp.DeviceType.META) return empty(shape, dtype, META).DetachFromDisposeScope();
        var weight = (isNew ? fresh! : weights).Read(name, shape, dtype);
        if (device.type == weight.device_type) return weight.DetachFromDisposeScope();
        using (weight) return weight.to(device).DetachFromDisposeScope();
    }

    /// <summary>An embedding or an output head, packed where <see cref="WeightStorage"/> says so; else as <see cref="Read"/>.</summary>
    /// <returns>(rows, columns).</returns>
    public WeightMatrix ReadMatrix(string name, long rows, long columns) =>
        Pack(name, [rows, columns], WeightStorage.Of(options, isLinear: false), turned: false) ?? Read(name, rows, columns);

    /// <summary>The weight of a linear layer.</summary>
    /// <param name="inputFirst">It is stored as (in, out).</param>
    /// <returns>(out, in) when it is packed, else as stored.</returns>
    public WeightMatrix ReadLinear(string name, long outFeatures, long inFeatures, bool inputFirst, bool isHead)
    {
        long[] shape = inputFirst ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
        return Pack(name, shape, WeightStorage.Of(options, isLinear: !isHead), inputFirst) ?? Read(name, shape);
    }

    /// <exception cref="ModelFormatException">The file does not fit the network.</exception>
    public void Finish()
    {
        var unused = weights.Names.Where(n => !asked.Contains(n) && !IsHarmless(n)).Order(StringComparer.Ordinal).ToList();
        var problems = new List<string>();
        if (missing.Count > 0) problems.Add($"its configuration asks for {missing.Count} weights that are not there: {Lists.Some(missing)}");
        if (misshapen.Count > 0) problems.Add($"{misshapen.Count} weights do not have the shape that its configuration says: {Lists.Some(misshapen, 4)}");
        if (unused.Count > 0) problems.Add($"{unused.Count} weights have no place in this architecture: {Lists.Some(unused)}");
        if (problems.Count > 0) throw new ModelFormatException(path, string.Join("; ", problems));
    }

    private bool IsNew(string name) => layers.Count > 0 && layers.Contains(name[..name.LastIndexOf('.')]);

    private WeightMatrix? Pack(string name, long[] shape, Storage storage, bool turned)
    {
        if (storage == Storage.Wide || drawn || IsNew(name) || weights.ShapeOf(name) is not { } found || !found.SequenceEqual(shape)) return null;
        var inFile = weights.Pack(name);
        if (storage == Storage.AsInFile && inFile is null) return null;
        if (storage == Storage.Nf4 && inFile is not null)
            throw new ModelFormatException(path,
                $"quantization nf4 would quantise '{name}' a second time, which is {inFile.Format} in the file; "
                + "leave quantization out, or use the original weights");
        asked.Add(name);
        return new WeightMatrix(inFile ?? Quantise(name, shape, turned), dtype);
    }

    private PackedMatrix Quantise(string name, long[] shape, bool turned)
    {
        using var scope = NewDisposeScope();
        var wide = weights.Read(name, shape, ScalarType.Float32);
        return Nf4.Quantise(turned ? wide.t().contiguous() : wide.contiguous(), options.Quantization!.Nf4!.DoubleQuant, device);
    }

    /// <summary>
    /// Tables that older exporters stored, an output head beside the embedding that it is tied to, and heads that another one takes the
    /// place of.
    /// </summary>
    private bool IsHarmless(string name) =>
        name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal) || (name == "lm_head.weight" && asked.Contains("model.embed_tokens.weight"))
        || (fresh is not null && (name.StartsWith("lm_head.", StringComparison.Ordinal) || name.StartsWith("cls.", StringComparison.Ordinal)));
}
