using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>A linear layer with another bias, as PEFT's <c>bias: all</c> has it where no update is.</summary>
/// <param name="own">(out).</param>
internal sealed class BiasLinear(Tensor own) : LinearAdapter
{
    public override bool Amends => true;

    public override void Amend(Tensor output, Tensor input, LinearSite site) => output.add_(own.to_type(output.dtype).sub(site.Bias!));

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin) =>
        Product.Linear(input, site.Matrix, own.to_type(input.dtype), bin);

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) =>
        (weight.clone(), own.to_type(weight.dtype).detach().clone());

    public override void Dispose() => own.Dispose();
}
