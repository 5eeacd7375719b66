using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Hands a method the tensors that it declares: drawn for training, or read from what was stored. So a method says once what it
/// attaches where, and is trained, resumed and served by that.
/// </summary>
internal abstract class AdapterTensors
{
    private readonly List<Trainable> trainable = [];

    /// <summary>Whether the tensors are float32 leaves that learn; else they are the model's element type and stay as they are.</summary>
    public abstract bool Learn { get; }

    /// <summary>Those that learn, in the order in which they were taken.</summary>
    public IReadOnlyList<Trainable> Trainable => trainable;

    /// <summary>Elements of all tensors that were taken.</summary>
    public long Parameters { get; private set; }

    /// <summary>A tensor of the method's own, outside all dispose scopes.</summary>
    /// <param name="name">In the file that it is stored in.</param>
    /// <param name="draw">Its first values, where training begins.</param>
    /// <param name="rate">It learns so many times as fast as the others.</param>
    /// <param name="exact">It is served in float32 too, because it lies near one, where narrower types cannot tell what was learnt.</param>
    public Tensor Take(string name, long[] shape, Draw draw, double rate = 1, bool exact = false)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var tensor = Get(name, shape, draw, exact).DetachFromDisposeScope();
        Parameters += tensor.numel();
        if (!Learn) return tensor;
        tensor.requires_grad = true;
        trainable.Add(new Trainable(name, tensor, rate));
        return tensor;
    }

    /// <summary>Lets a weight of the base model learn; it stays the model's.</summary>
    public void Adopt(string name, Tensor weight)
    {
        weight.requires_grad = true;
        trainable.Add(new Trainable(name, weight));
        Parameters += weight.numel();
    }

    protected abstract Tensor Get(string name, long[] shape, Draw draw, bool exact);
}

/// <summary>Fresh ones, to be trained.</summary>
internal sealed class DrawnTensors(Generator rng, Device device) : AdapterTensors
{
    public override bool Learn => true;

    protected override Tensor Get(string name, long[] shape, Draw draw, bool exact) => draw(shape, rng).to(device);
}

/// <summary>
/// Those of a file, to be served or to be trained on. What does not fit is collected: <see cref="Finish"/> tells all of it.
/// </summary>
/// <param name="head">A second file, with a classifier's head.</param>
/// <param name="dtype">Element type of those that are not to learn; null: the model's.</param>
/// <param name="shapesOnly">Reads nothing: whether all fits is found out before memory is taken.</param>
internal sealed class StoredTensors(
    SafetensorsFile file, BaseModel model, bool learn = false, SafetensorsFile? head = null, ScalarType? dtype = null, bool shapesOnly = false)
    : AdapterTensors
{
    private readonly SafetensorsFile[] files = head is null ? [file] : [file, head];
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly List<string> missing = [];
    private readonly List<(string Name, string Problem)> misshapen = [];

    public override bool Learn => learn;

    /// <summary>Whether the file has such a tensor, for parts that an adapter may lack.</summary>
    public bool Has(string name) => files.Any(f => f.Tensors.ContainsKey(name));

    /// <summary>Lets a tensor be in the file that is not needed.</summary>
    public void Ignore(string name) => asked.Add(name);

    /// <summary>Type of the stored tensors, as safetensors names it.</summary>
    public string Dtype => string.Join(", ", files.SelectMany(f => f.Tensors.Values).Select(t => t.Dtype).Distinct(StringComparer.Ordinal));

    protected override Tensor Get(string name, long[] shape, Draw draw, bool exact)
    {
        asked.Add(name);
        var type = learn || exact ? ScalarType.Float32 : dtype ?? model.DType;
        var holder = files.FirstOrDefault(f => f.Tensors.ContainsKey(name));
        if (holder?.Tensors[name] is not { } info) missing.Add(name);
        else if (!info.Shape.SequenceEqual(shape))
            misshapen.Add((name, $"is [{string.Join(", ", info.Shape)}], but base model and configuration ask for [{string.Join(", ", shape)}]"));
        else if (!shapesOnly) return holder.Map(name).to_type(type).to(model.Device).clone();
        return zeros(shape, type, META);
    }

    /// <exception cref="ModelFormatException">The file does not fit the model and the method; every tensor is named.</exception>
    public void Finish()
    {
        var strange = files.SelectMany(f => f.Tensors.Keys).Where(k => !asked.Contains(k)).Order(StringComparer.Ordinal).ToList();
        var problems = new List<string>();
        if (strange.Count > 0)
            problems.Add($"{strange.Count} tensors belong to no layer of this base model: "
                + string.Join(", ", TensorGroups.Of(strange).Select(g => g.Name)));
        problems.AddRange(TensorGroups.Of(missing).Select(m => $"the tensor '{m.Name}' is missing{TensorGroups.Tally(m.Count)}"));
        problems.AddRange(TensorGroups.Describe(misshapen));
        if (asked.Count == 0 && problems.Count == 0) problems.Add("it holds no tensors");
        if (problems.Count > 0) throw new ModelFormatException(file.Path, $"does not fit this base model: {string.Join("; ", problems)}");
    }
}
