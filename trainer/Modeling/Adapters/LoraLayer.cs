using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// The low-rank update of one linear layer: y = W x + scale B A x (Hu et al. 2021, arXiv:2106.09685). It computes in the
/// base's element type, whatever A and B are kept in.
/// </summary>
/// <param name="a">(r, in).</param>
/// <param name="b">(out, r).</param>
internal sealed class LoraLayer(Tensor a, Tensor b, double scale, LoraDropout? dropout = null) : LinearAdapter
{
    // Kept, as Scalars.One is and for the same reason.
    private readonly TorchSharp.Scalar scaling = scale;

    public Tensor A { get; } = a;
    public Tensor B { get; } = b;

    public override void AddTo(Tensor output, Tensor input)
    {
        var wide = dropout is { Active: true } ? dropout.Apply(input) : input;
        var inner = nn.functional.linear(wide, As(A, input.dtype));                              // (M, r)
        output.add_(nn.functional.linear(inner, As(B, input.dtype)), alpha: scaling);
    }

    public override Tensor Forward(Tensor input, WeightMatrix weight, GradientBin bin)
    {
        if (!is_grad_enabled() || dropout is { Active: true }) return base.Forward(input, weight, bin);
        return LoraLinear.Apply(input, weight, As(A, input.dtype), As(B, input.dtype), scale, bin);
    }

    public override void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private static Tensor As(Tensor tensor, ScalarType dtype) => tensor.dtype == dtype ? tensor : tensor.to_type(dtype);
}

/// <summary>Leaves out elements of the update's input, each with the same probability, while its method trains.</summary>
internal sealed class LoraDropout(double probability, Generator rng, TuningMethod method)
{
    public bool Active => probability > 0 && method.Training;

    public Tensor Apply(Tensor input)
    {
        var keep = rand(input.shape, ScalarType.Float32, input.device, generator: rng).ge(probability).to_type(input.dtype);
        return input.mul(keep).div(1 - probability);
    }
}
