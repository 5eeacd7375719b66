using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Every weight trains; the artifact is a whole model, in the element type that the base is published in.</summary>
internal sealed class FullTuning : TuningMethod
{
    public override string Name => "full";
    public override double DefaultLearningRate => 2e-5;
    public override ArtifactKind Kind => ArtifactKind.Model;
    public override bool WeightsTrain => true;
    internal override string? StateFile => null;

    private protected override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        if (model.DType != ScalarType.Float32)
            throw new TuningException([$"method.full trains the weights themselves, which needs precision F32; the model was loaded in {Precisions.Of(model.DType)}."]);
        if (model.PackedFormats is [_, ..] formats)
            throw new TuningException([$"method.full trains the weights themselves, but they are kept as {string.Join(", ", formats)}; "
                + "load the model with quantization none."]);
        foreach (var (name, weight) in model.Transformer.Weights) tensors.Adopt(name, weight);
        return new Attachment();
    }

    public override void Save(string folder, BaseModel model, string baseModelName) => ModelWriter.Save(model, folder, model.Config.StoredType);

    public override AdapterFacts Facts(BaseModel model) =>
        base.Facts(model) with { Dtype = SafetensorsWriter.NameOf(model.Config.StoredType) };
}
