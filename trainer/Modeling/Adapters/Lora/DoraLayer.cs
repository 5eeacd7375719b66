using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// A low-rank update that gives only the directions of the weight's rows, beside a vector m that gives their lengths (DoRA, Liu et al.
/// 2024, arXiv:2402.09353): y = m / n (W x + scale B A x) + bias, n the lengths of the rows of W + scale B A. As the paper's section 4.3
/// proposes, n counts as a constant in the backward pass. Dropout is as in the paper's formula, on what B A sees alone.
/// </summary>
/// <param name="update">Owned by this adapter.</param>
/// <param name="magnitude">m (out).</param>
internal sealed class DoraLayer(LoraLayer update, Tensor magnitude) : LinearAdapter
{
    private readonly RowLengths lengths = new(update);
    private Tensor? factors;

    public override bool Amends => true;

    public override void Amend(Tensor output, Tensor input, LinearSite site)
    {
        if (site.Bias is { } bias) output.sub_(bias);
        update.AddUpdate(output, input);
        output.mul_(Factors(site));
        if (BiasOf(site, output.dtype) is { } own) output.add_(own);
    }

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin)
    {
        var output = update.Sum(input, site, null, bin).mul(Factors(site)).to_type(input.dtype);
        return BiasOf(site, input.dtype) is { } bias ? output.add_(bias) : output;
    }

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        var (whole, own) = update.Merge(weight, bias);
        var factor = magnitude.to_type(weight.dtype).div(whole.square().sum(1).sqrt());
        return (whole.mul_(factor.unsqueeze(1)), own);
    }

    public override void Dispose()
    {
        update.Dispose();
        magnitude.Dispose();
        lengths.Dispose();
        factors?.Dispose();
    }

    /// <returns>m / n: (out) float32.</returns>
    private Tensor Factors(LinearSite site)
    {
        if (factors is not null) return factors;
        var found = magnitude.to_type(ScalarType.Float32).div(lengths.Of(site.Matrix));
        // Of an adapter that does not learn they stay as they are.
        return magnitude.requires_grad ? found : factors = found.DetachFromDisposeScope();
    }

    private Tensor? BiasOf(LinearSite site, ScalarType dtype) => (update.Bias ?? site.Bias)?.to_type(dtype);
}
