using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// The low-rank update of one linear layer: y = W x + scale B A x (Hu et al. 2021, arXiv:2106.09685). It computes in the
/// base's element type, whatever A and B are kept in.
/// </summary>
/// <param name="a">(r, in).</param>
/// <param name="b">(out, r).</param>
internal sealed class LoraLayer(Tensor a, Tensor b, double scale, Dropout? dropout = null) : LinearAdapter
{
    // Kept, as Scalars.One is and for the same reason.
    private readonly TorchSharp.Scalar scaling = scale;

    public Tensor A { get; } = a;
    public Tensor B { get; } = b;
    public double Scale { get; } = scale;

    /// <summary>
    /// A and B as they began, where they began as a part of the layer's weight: what the weight gave up. It stays as it is itself, and the
    /// update is B A - B0 A0, computed as (B - B0) A + B0 (A - A0), in which narrow types lose nothing to the difference of large numbers.
    /// </summary>
    public (Tensor A, Tensor B)? GivenUp { get; init; }

    /// <summary>(out): in the place of the layer's own bias.</summary>
    public Tensor? Bias { get; init; }

    public override bool Amends => true;

    /// <summary>Both updates as one.</summary>
    /// <returns>(r, in), or (2 r, in).</returns>
    public Tensor Down(ScalarType dtype) => As(GivenUp is { } given ? cat([A, A.sub(given.A)]) : A, dtype);

    /// <summary>Both updates as one.</summary>
    /// <returns>(out, r), or (out, 2 r).</returns>
    public Tensor Up(ScalarType dtype) => As(GivenUp is { } given ? cat([B.sub(given.B), given.B], 1) : B, dtype);

    public override void Amend(Tensor output, Tensor input, LinearSite site)
    {
        AddUpdate(output, input);
        if (Bias is { } own) output.add_(As(own, output.dtype).sub(site.Bias!));
    }

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin) =>
        Sum(input, site, Bias is { } own ? As(own, input.dtype) : site.Bias, bin);

    /// <summary>Adds scale B A x in place.</summary>
    /// <param name="output">(M, out).</param>
    /// <param name="input">(M, in).</param>
    public void AddUpdate(Tensor output, Tensor input)
    {
        var wide = dropout is { Active: true } ? dropout.Apply(input) : input;
        var inner = nn.functional.linear(wide, Down(input.dtype));                               // (M, r)
        output.add_(nn.functional.linear(inner, Up(input.dtype)), alpha: scaling);
    }

    /// <summary>W x + scale B A x + bias.</summary>
    /// <param name="bias">(out) in the input's element type, or none.</param>
    public Tensor Sum(Tensor input, LinearSite site, Tensor? bias, GradientBin bin)
    {
        if (is_grad_enabled() && dropout is not { Active: true })
        {
            var tuned = LoraLinear.Apply(input, site.Matrix, Down(input.dtype), Up(input.dtype), Scale, bin);
            return bias is null ? tuned : tuned.add_(bias);
        }
        var output = Product.Linear(input, site.Matrix, bias, bin);
        AddUpdate(output, input);
        return output;
    }

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) =>
        (weight.add(Up(weight.dtype).matmul(Down(weight.dtype)), alpha: scaling), Bias is { } own ? As(own, weight.dtype).clone() : bias);

    public override void Dispose()
    {
        A.Dispose();
        B.Dispose();
        GivenUp?.A.Dispose();
        GivenUp?.B.Dispose();
        Bias?.Dispose();
    }

    private static Tensor As(Tensor tensor, ScalarType dtype) => tensor.dtype == dtype ? tensor : tensor.to_type(dtype);
}
