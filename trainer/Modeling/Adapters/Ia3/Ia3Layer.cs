using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// A vector at one linear layer (IA3, Liu et al. 2022, arXiv:2205.05638): y = l * (W x + b) or, before a feed-forward layer,
/// y = W (l * x) + b. It computes in the base's element type, whatever l is kept in.
/// </summary>
/// <param name="scales">(out, 1), or (1, in) where <paramref name="ofInput"/>.</param>
internal sealed class Ia3Layer(Tensor scales, bool ofInput) : LinearAdapter
{
    public override bool Amends => !ofInput;

    public override void Amend(Tensor output, Tensor input, LinearSite site) => output.mul_(Row(output.dtype));

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin) => ofInput
        ? Product.Linear(input.mul(Row(input.dtype)), site.Matrix, site.Bias, bin)
        : Product.Linear(input, site.Matrix, site.Bias, bin).mul(Row(input.dtype));

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        var wide = scales.to_type(weight.dtype);                                                 // beside or above (out, in)
        return (weight.mul(wide), ofInput ? bias?.clone() : bias?.mul(wide.view(-1)));
    }

    public override void Dispose() => scales.Dispose();

    /// <returns>(features).</returns>
    private Tensor Row(ScalarType dtype) => (scales.dtype == dtype ? scales : scales.to_type(dtype)).view(-1);
}
