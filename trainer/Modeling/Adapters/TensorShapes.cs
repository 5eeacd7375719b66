using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Shapes instead of tensors: for finding out whether a method fits a model before memory is taken for either.</summary>
internal sealed class TensorShapes : AdapterTensors
{
    public override bool Learn => false;

    protected override Tensor Get(string name, long[] shape, Draw draw, bool exact) => zeros(shape, ScalarType.Float32, META);
}
