using Graft.Contract;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// A way of tuning a model. It declares once what it attaches where (<see cref="Declare"/>): training draws those tensors, loading reads
/// them. Trainable tensors are float32 leaves, whatever the base's arithmetic is.
/// </summary>
public abstract class TuningMethod : IDisposable
{
    /// <summary>The member of <see cref="Method"/> that asks for it, in camelCase.</summary>
    public abstract string Name { get; }

    public abstract double DefaultLearningRate { get; }

    public virtual ArtifactKind Kind => ArtifactKind.Adapter;

    /// <summary>Whether the base's own weights train, which decides their precision (<see cref="Precisions.Resolve"/>).</summary>
    public virtual bool WeightsTrain => false;

    /// <summary>What trains.</summary>
    public IReadOnlyList<Trainable> Trainable { get; private set; } = [];

    /// <summary>False: the base answers alone, as for the evaluation before training.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>True while training: dropout applies.</summary>
    public bool Training { get; set; }

    internal Attachment? Attachment { get; private set; }

    /// <summary>The file of an artifact that holds all that trains; null: there is none, and the artifact is a base model itself.</summary>
    internal virtual string? StateFile => ArtifactLayout.AdapterWeights;

    /// <summary>Whether what it attached can be put into the base's weights; false before it is attached.</summary>
    public bool Mergeable => Kind == ArtifactKind.Adapter && Attachment is { Unmergeable.Count: 0 };

    /// <summary>Elements of the method's own tensors.</summary>
    private protected long Parameters { get; private set; }

    /// <summary>What is left to chance in training, such as dropout; of the model's device.</summary>
    private protected Generator? Rng { get; private set; }

    /// <summary>
    /// Draws the trainable tensors, or takes those of an artifact; freezes the rest and becomes what the model computes with. Once only.
    /// </summary>
    /// <param name="from">
    /// The folder of an artifact of this method and these options, which training goes on from; null: from the start.
    /// </param>
    /// <exception cref="TuningException">The method's options do not fit the model; the message says what would.</exception>
    /// <exception cref="ModelFormatException">The folder cannot be gone on from, or does not fit.</exception>
    public void Attach(BaseModel model, Generator rng, string? from = null)
    {
        Rng = model.Device.type == TorchSharp.DeviceType.CPU ? rng : new Generator(unchecked((ulong)rng.initial_seed()), model.Device);
        if (from is null) Build(model, new DrawnTensors(rng, model.Device));
        else
        {
            using var file = TrainingState.Open(from, this);
            using var folder = AdapterFolder.Open(from);
            var stored = new StoredTensors(file, model, learn: true, head: folder.Head);
            Build(model, stored);
            stored.Finish();
        }
        model.Transformer.Tuning = this;
    }

    /// <summary>Finds out whether the method fits a model, of which only the shapes need be there (<see cref="LoadOptions.ShapesOnly"/>).</summary>
    /// <exception cref="TuningException">The method's options do not fit the model; the message says what would.</exception>
    public void Check(BaseModel shapes)
    {
        using var scope = NewDisposeScope();
        CheckConfig(shapes.Config);
        Declare(shapes, new TensorShapes()).Dispose();
    }

    /// <summary>What the configuration alone can say of whether the method fits.</summary>
    /// <exception cref="TuningException">It does not; the message says what would.</exception>
    private protected virtual void CheckConfig(ModelConfig config)
    {
    }

    /// <summary>Writes the artifact's weights and configuration into an existing folder.</summary>
    /// <param name="baseModelName">The base as people name it; PEFT looks it up by this.</param>
    public abstract void Save(string folder, BaseModel model, string baseModelName);

    /// <summary>What decides whether an engine can serve what it saves, but for the size of the files.</summary>
    public virtual AdapterFacts Facts(BaseModel model) => Describe(new AdapterFacts
    {
        Method = Name,
        Dtype = SafetensorsWriter.NameOf(ScalarType.Float32),
        TrainableParameters = Parameters,
        BaseDigest = model.Digest,
        ModelType = model.Config.ModelType,
        Task = TrainedHead.TaskOf(model.Config),
        ModulesToSave = TrainedHead.ModulesOf(model),
        Mergeable = Mergeable,
    });

    /// <summary>Adds to the facts what a method alone can say of itself.</summary>
    private protected virtual AdapterFacts Describe(AdapterFacts facts) => facts;

    /// <summary>Attaches itself to the model with tensors from wherever.</summary>
    internal Attachment Build(BaseModel model, AdapterTensors tensors)
    {
        if (Attachment is not null) throw new InvalidOperationException($"{Name} is attached to a model already.");
        CheckConfig(model.Config);
        Attachment = Declare(model, tensors);
        (Trainable, Parameters) = (tensors.Trainable, tensors.Parameters);
        return Attachment;
    }

    /// <summary>Declares what is attached where, taking each tensor from <paramref name="tensors"/>.</summary>
    /// <exception cref="TuningException">The method's options do not fit the model.</exception>
    private protected abstract Attachment Declare(BaseModel model, AdapterTensors tensors);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Attachment?.Dispose();
}
