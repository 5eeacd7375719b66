using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Every weight trains; the artifact is a whole model, in the element type that the base is published in.</summary>
internal sealed class FullTuning : TuningMethod
{
    private IReadOnlyList<(string, Tensor)> trainable = [];

    public override double DefaultLearningRate => 2e-5;
    public override ArtifactKind Kind => ArtifactKind.Model;
    public override bool WeightsTrain => true;
    public override IReadOnlyList<(string Name, Tensor Parameter)> Trainable => trainable;

    public override void Attach(BaseModel model, Generator rng)
    {
        if (model.DType != ScalarType.Float32)
            throw new TuningException([$"method.full trains the weights themselves, which needs precision F32; the model was loaded in {Precisions.Of(model.DType)}."]);
        if (model.PackedFormats is [_, ..] formats)
            throw new TuningException([$"method.full trains the weights themselves, but they are kept as {string.Join(", ", formats)}; "
                + "load the model with quantization none."]);
        trainable = model.Transformer.Weights;
        foreach (var (_, weight) in trainable) weight.requires_grad = true;
        model.Transformer.Tuning = this;
    }

    public override void Save(string folder, BaseModel model, string baseModelName) => ModelWriter.Save(model, folder, model.Config.StoredType);

    public override AdapterFacts Facts(BaseModel model) => new()
    {
        Method = "full",
        Dtype = SafetensorsWriter.NameOf(model.Config.StoredType),
        TrainableParameters = trainable.Sum(t => t.Item2.numel()),
        BaseDigest = model.Digest,
    };

    /// <summary>The weights are the model's.</summary>
    protected override void Dispose(bool disposing)
    {
    }
}
