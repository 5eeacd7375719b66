using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Leaves out elements of what goes in, each with the same probability, while its method trains.</summary>
internal sealed class Dropout(double probability, Generator rng, TuningMethod method)
{
    public bool Active => probability > 0 && method.Training;

    public Tensor Apply(Tensor input)
    {
        var keep = rand(input.shape, ScalarType.Float32, input.device, generator: rng).ge(probability).to_type(input.dtype);
        return input.mul(keep).div(1 - probability);
    }
}
