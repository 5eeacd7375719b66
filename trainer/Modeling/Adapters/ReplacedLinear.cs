using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>A linear layer that trains whole in the base's place, as PEFT's <c>modules_to_save</c> do.</summary>
/// <param name="weight">(out, in), or the other way round where <paramref name="turned"/>.</param>
/// <param name="bias">(out), or none.</param>
internal sealed class ReplacedLinear(Tensor weight, Tensor? bias, bool turned = false) : LinearAdapter
{
    /// <summary>Begins with what the layer has. Its tensors are stored as the base stores them.</summary>
    /// <param name="name">The layer's name in the file that the tensors are stored in.</param>
    public static ReplacedLinear Take(AdapterTensors tensors, LinearSite site, string name)
    {
        long[] shape = site.InputFirst ? [site.InFeatures, site.OutFeatures] : [site.OutFeatures, site.InFeatures];
        var weight = tensors.Take(name + ".weight", shape, (_, _) =>
        {
            var whole = site.Matrix.Widened();
            return (site.InputFirst ? whole.t() : whole).detach().cpu().to(ScalarType.Float32, copy: true).contiguous();
        });
        var bias = site.Bias is { } own ? tensors.Take(name + ".bias", [site.OutFeatures], Initial.CopyOf(own)) : null;
        return new ReplacedLinear(weight, bias, site.InputFirst);
    }

    public override Tensor Forward(Tensor input, LinearSite site, GradientBin bin) =>
        Product.Linear(input, Matrix(input.dtype), Bias(input.dtype), bin);

    public override Tensor? Whole(ScalarType dtype) => bias is null ? Matrix(dtype) : null;

    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) =>
        (Matrix(weight.dtype).detach().clone(), Bias(weight.dtype)?.detach().clone());   // of the layer's own only the type is asked

    public override void Dispose()
    {
        weight.Dispose();
        bias?.Dispose();
    }

    /// <returns>(out, in).</returns>
    private Tensor Matrix(ScalarType dtype) => turned ? As(weight, dtype).t() : As(weight, dtype);

    private Tensor? Bias(ScalarType dtype) => bias is null ? null : As(bias, dtype);

    private static Tensor As(Tensor tensor, ScalarType dtype) => tensor.dtype == dtype ? tensor : tensor.to_type(dtype);
}
