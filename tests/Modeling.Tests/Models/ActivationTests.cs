using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>The activations by their definitions, number by number in float64.</summary>
[Collection(TorchCollection.Name)]
public sealed class ActivationTests
{
    private static readonly Dictionary<string, Func<double, double>> Definitions = new()
    {
        ["silu"] = x => x * Sigmoid(x),
        ["swish"] = x => x * Sigmoid(x),
        ["gelu"] = Gelu,
        ["gelu_python"] = Gelu,
        ["gelu_10"] = x => Math.Clamp(Gelu(x), -10, 10),
        ["gelu_new"] = TanhGelu,
        ["gelu_pytorch_tanh"] = TanhGelu,
        ["gelu_python_tanh"] = TanhGelu,
        ["gelu_fast"] = TanhGelu,
        ["gelu_accurate"] = TanhGelu,
        ["quick_gelu"] = x => x * Sigmoid(1.702 * x),
        ["relu"] = x => Math.Max(x, 0),
        ["relu2"] = x => Math.Pow(Math.Max(x, 0), 2),
        ["relu6"] = x => Math.Clamp(x, 0, 6),
        ["leaky_relu"] = x => x > 0 ? x : 0.01 * x,
        ["sigmoid"] = Sigmoid,
        ["tanh"] = Math.Tanh,
        ["mish"] = x => x * Math.Tanh(Math.Log(1 + Math.Exp(x))),
        ["laplace"] = x => 0.5 * (1 + Erf((x - 0.707107) / (0.282095 * Math.Sqrt(2)))),
        ["linear"] = x => x,
    };

    public static TheoryData<string> Names => [.. Definitions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_name_is_its_function_alone_and_gated(string name)
    {
        using var scope = NewDisposeScope();
        double[] points = [-12, -3, -1.5, -0.5, -1e-3, 0, 1e-3, 0.25, 0.7, 1, 2, 3.5, 7, 12];
        var x = tensor(points.Select(p => (float)p).ToArray()).view(2, 7);
        var activation = Activation.Named(name)!;
        var (alone, gated) = (activation.Apply(x).data<float>().ToArray(), activation.Gated(x, x).data<float>().ToArray());
        for (var i = 0; i < points.Length; i++)
        {
            var wanted = Definitions[name](points[i]);
            Assert.Equal(wanted, alone[i], 1e-5 * Math.Max(1, Math.Abs(wanted)));
            Assert.Equal(wanted * points[i], gated[i], 1e-5 * Math.Max(1, Math.Abs(wanted * points[i])));
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    private static double TanhGelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    /// <summary>By Simpson's rule.</summary>
    private static double Erf(double x)
    {
        const int steps = 2000;
        var (h, sum) = (x / steps, 0.0);
        for (var i = 0; i <= steps; i++) sum += Math.Exp(-Math.Pow(i * h, 2)) * (i is 0 or steps ? 1 : i % 2 == 1 ? 4 : 2);
        return 2 / Math.Sqrt(Math.PI) * sum * h / 3;
    }
}
