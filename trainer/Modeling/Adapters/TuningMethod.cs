using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// A way of tuning a model. It attaches itself to a model, names what trains, and writes its artifact. Trainable tensors are
/// float32 leaves, whatever the base's arithmetic is.
/// </summary>
public abstract class TuningMethod : IDisposable
{
    public abstract double DefaultLearningRate { get; }

    public abstract ArtifactKind Kind { get; }

    /// <summary>Whether the base's own weights train, which decides their precision (<see cref="Precisions.Resolve"/>).</summary>
    public abstract bool WeightsTrain { get; }

    /// <summary>Draws the trainable tensors, freezes the rest and becomes what the model computes with. Once only.</summary>
    /// <exception cref="TuningException">The method's options do not fit the model; the message says what would.</exception>
    public abstract void Attach(BaseModel model, Generator rng);

    /// <summary>Leaves, under the names of the files.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Parameter)> Trainable { get; }

    /// <summary>False: the base answers alone, as for the evaluation before training.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>True while training: dropout applies.</summary>
    public bool Training { get; set; }

    /// <summary>Writes the artifact's weights and configuration into an existing folder.</summary>
    /// <param name="baseModelName">The base as people name it; PEFT looks it up by this.</param>
    public abstract void Save(string folder, BaseModel model, string baseModelName);

    public abstract AdapterFacts Facts(BaseModel model);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>What the method does at a linear layer, if anything.</summary>
    internal virtual Adapters.LinearAdapter? At(LinearSite site) => null;

    protected abstract void Dispose(bool disposing);
}

/// <summary>Options of a method that do not fit the model; one entry for each problem, naming the field.</summary>
public sealed class TuningException(IReadOnlyList<string> problems) : Exception(string.Join(" ", problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}
