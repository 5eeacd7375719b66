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
    public double Scale { get; } = scale;

    public override bool Amends => true;

    public override void Amend(Tensor output, Tensor input, LinearSite site)
    {
        var wide = dropout is { Active: true } ? dropout.Apply(input) : input;
        var inner = nn.functional.linear(wide, As(A, input.dtype));                              // (M, r)
        output.add_(nn.functional.linear(inner, As(B, input.dtype)), alpha: scaling);
    }

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin)
    {
        if (is_grad_enabled() && dropout is not { Active: true })
        {
            var tuned = LoraLinear.Apply(input, site.Matrix, As(A, input.dtype), As(B, input.dtype), Scale, bin);
            return site.Bias is { } bias ? tuned.add_(bias) : tuned;
        }
        var output = Product.Linear(input, site.Matrix, site.Bias, bin);
        Amend(output, input, site);
        return output;
    }

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) =>
        (weight.add(B.to_type(weight.dtype).matmul(A.to_type(weight.dtype)), alpha: scaling), bias);

    public override void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }

    private static Tensor As(Tensor tensor, ScalarType dtype) => tensor.dtype == dtype ? tensor : tensor.to_type(dtype);
}
