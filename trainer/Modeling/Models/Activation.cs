using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>The function between the layers of a feed-forward, under the names that Hugging Face's configurations use.</summary>
internal sealed class Activation
{
    private static readonly Activation Silu = new(x => nn.functional.silu(x), new SigmoidCurve(1, 0));

    /// <summary>
    /// GELU by its tanh approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415): (1 + tanh(u)) / 2 is the sigmoid of 2 u.
    /// </summary>
    private static readonly Activation TanhGelu = new(new SigmoidCurve(1.5957691216057308, 0.071354816272601496));
    private static readonly Activation Gelu = new(x => nn.functional.gelu(x));

    private static readonly Dictionary<string, Activation> Known = new(StringComparer.Ordinal)
    {
        ["silu"] = Silu, ["swish"] = Silu,
        ["gelu"] = Gelu, ["gelu_python"] = Gelu,
        ["gelu_new"] = TanhGelu, ["gelu_pytorch_tanh"] = TanhGelu, ["gelu_python_tanh"] = TanhGelu,
        ["gelu_fast"] = TanhGelu, ["gelu_accurate"] = TanhGelu,
        ["quick_gelu"] = new(new SigmoidCurve(1.702, 0)),
        ["gelu_10"] = new(Clamped(x => nn.functional.gelu(x), -10, 10)),
        ["relu"] = new(x => nn.functional.relu(x)),
        ["relu2"] = new(x => nn.functional.relu(x).square()),
        ["relu6"] = new(Clamped(x => x, 0, 6)),
        ["leaky_relu"] = new(x => nn.functional.leaky_relu(x, 0.01)),
        ["sigmoid"] = new(x => x.sigmoid()),
        ["tanh"] = new(x => x.tanh()),
        ["mish"] = new(x => nn.functional.softplus(x).tanh().mul(x)),
        ["laplace"] = new(Laplace(0.707107, 0.282095 * Math.Sqrt(2), 0.5)),
        ["linear"] = new(x => x),
    };

    private readonly Func<Tensor, Tensor> function;
    private readonly SigmoidCurve? curve;

    private Activation(Func<Tensor, Tensor> function, SigmoidCurve? curve = null) => (this.function, this.curve) = (function, curve);

    private Activation(SigmoidCurve curve) : this(Curved(curve.Linear, curve.Cubic), curve)
    {
    }

    // The numbers are kept, as Scalars.One is and for the same reason; made at first use, so that names can be told apart without libtorch.
    private static Lazy<Scalar> Kept(double number) => new(() => number);

    private static Func<Tensor, Tensor> Curved(double linear, double cubic)
    {
        var (one, three) = (Kept(linear), Kept(cubic));
        return x => x.square().mul(three.Value).add(one.Value).mul(x).sigmoid().mul(x);
    }

    private static Func<Tensor, Tensor> Clamped(Func<Tensor, Tensor> function, double low, double high)
    {
        var (least, most) = (Kept(low), Kept(high));
        return x => function(x).clamp(least.Value, most.Value);
    }

    private static Func<Tensor, Tensor> Laplace(double mean, double width, double half)
    {
        var (middle, spread, part) = (Kept(mean), Kept(width), Kept(half));
        return x => x.sub(middle.Value).div(spread.Value).erf().add(Scalars.One, Scalars.One).mul(part.Value);
    }

    public static Activation? Named(string name) => Known.GetValueOrDefault(name);

    /// <summary>The activation that a field of the configuration names.</summary>
    public static Activation Read(JsonFields fields, string field, string otherwise)
    {
        var name = fields.Text(field) ?? otherwise;
        if (Named(name) is { } found) return found;
        var known = string.Join(", ", Known.Keys.Order(StringComparer.Ordinal));
        fields.Wrong($"{field} is '{name}', which is not supported; there are {known}");
        return Silu;
    }

    /// <param name="x">(N, F).</param>
    public Tensor Apply(Tensor x) => function(x);

    /// <summary>f(gate) up: the gated linear unit (Shazeer 2020, arXiv:2002.05202).</summary>
    /// <param name="gate">(N, F).</param>
    /// <param name="up">(N, F).</param>
    public Tensor Gated(Tensor gate, Tensor up, GradientBin? bin = null) =>
        ReferenceEquals(this, Silu) && Decoding.Takes(gate, up) ? Decoding.SwiGlu(gate, up)
        : curve is { } known && Kernel.Takes(gate) && Kernel.Takes(up) ? Kernel.Gated(gate, up, known, bin) : function(gate).mul(up);
}
