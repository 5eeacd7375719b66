using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// A vector at one linear layer (IA3, Liu et al. 2022, arXiv:2205.05638): y = l * (W x + b) or, before a feed-forward layer,
/// y = W (l * x) + b. The products are in float32, because l lies near one, and rounded to the base's element type.
/// </summary>
/// <param name="scales">(out, 1), or (1, in) where <paramref name="ofInput"/>.</param>
internal sealed class Ia3Layer(Tensor scales, bool ofInput) : LinearAdapter
{
    public override bool Amends => !ofInput;

    public override void Amend(Tensor output, Tensor input, LinearSite site) => output.mul_(Row);

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin) => ofInput
        ? Product.Linear(input.mul(Row).to_type(input.dtype), site.Matrix, site.Bias, bin)
        : Product.Linear(input, site.Matrix, site.Bias, bin).mul(Row).to_type(input.dtype);

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        var wide = scales.to_type(weight.dtype);                                                 // beside or above (out, in)
        return (weight.mul(wide), ofInput ? bias?.clone() : bias?.mul(wide.view(-1)));
    }

    public override void Dispose() => scales.Dispose();

    /// <summary>(features) float32.</summary>
    private Tensor Row => scales.view(-1);
}
