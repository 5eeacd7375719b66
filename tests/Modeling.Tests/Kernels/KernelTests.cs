using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Kernels;

/// <summary>The float32 kernels against libtorch's own operators in float64, which take the other path.</summary>
[Collection(TorchCollection.Name)]
public sealed class KernelTests
{
    public static TheoryData<int, int> Sizes => new() { { 3, 37 }, { 1, 16 }, { 700, 128 } };

    [Theory]
    [InlineData("silu", 3, 37)]
    [InlineData("silu", 700, 128)]
    [InlineData("gelu_pytorch_tanh", 3, 37)]
    [InlineData("gelu_pytorch_tanh", 700, 128)]
    [InlineData("quick_gelu", 1, 16)]
    [InlineData("gelu", 3, 37)]
    public void Gated_activation_and_its_gradients(string name, int rows, int width)
    {
        var activation = Activation.Named(name)!;
        Compare([Random(1, rows, width).mul(3), Random(2, rows, width)], t => activation.Gated(t[0], t[1]));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Norm_and_its_gradients(int rows, int width) =>
        Compare([Random(1, rows, width), Random(2, width)], t => RmsNorm.Apply(t[0], t[1], 1e-5));

    [Fact]
    public void Norm_with_an_offset_weight() =>
        Compare([Random(1, 9, 64), Random(2, 64)], t => RmsNorm.Apply(t[0], t[1], 1e-5, offset: true));

    [Fact]
    public void Norm_with_a_frozen_weight()
    {
        using var scope = NewDisposeScope();
        var weight = Random(2, 64);
        Compare([Random(1, 9, 64)], t => RmsNorm.Apply(t[0], weight.to_type(t[0].dtype), 1e-5));
    }

    [Theory]
    [InlineData(5, 3, 10)]
    [InlineData(300, 9, 64)]
    public void Rotation_and_its_gradient(int rows, int heads, int size)
    {
        using var scope = NewDisposeScope();
        var angles = Random(3, rows, 1, size / 2);
        Compare([Random(1, rows, heads, size)], t => Rotary.Apply(t[0], angles.cos().to_type(t[0].dtype), angles.sin().to_type(t[0].dtype)));
    }

    [Theory]
    [InlineData(5, 12, 7)]
    [InlineData(130, 64, 96)]
    public void Linear_layer_and_its_gradients(int rows, int width, int outputs) =>
        Compare([Random(1, rows, width), Random(2, outputs, width)], t => Product.Linear(t[0], t[1]));

    /// <summary>Whether or not it is what this processor uses.</summary>
    [SkippableFact]
    public void Products_of_oneDNN_take_transposed_views()
    {
        Skip.IfNot(Aten.HasOneDnnLinear, "this libtorch is without oneDNN");
        using var scope = NewDisposeScope();
        var (a, b) = (Random(1, 33, 20), Random(2, 48, 20));
        var expected = a.to_type(ScalarType.Float64).matmul(b.to_type(ScalarType.Float64).t());
        Assert.True(Fixtures.MaxDifference(Aten.OneDnnLinear(a, b), expected) < 2e-5);
        Assert.True(Fixtures.MaxDifference(Aten.OneDnnLinear(a.t().contiguous().t(), b.t().contiguous().t()), expected) < 2e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Low_rank_update_and_its_gradients(bool inputTrains)
    {
        using var scope = NewDisposeScope();
        using var bin = new GradientBin();
        var (input, weight) = (Random(1, 40, 24), Random(2, 32, 24));
        Tensor[] factors = [Random(3, 4, 24), Random(4, 32, 4)];
        // Float64 goes through the same function, so what it is compared with is written out.
        Tensor Run(Tensor x, Tensor a, Tensor b) => x.dtype == ScalarType.Float32
            ? LoraLinear.Apply(x, weight, a, b, 0.5, bin)
            : x.matmul(weight.to_type(x.dtype).t()).add(x.matmul(a.t()).matmul(b.t()).mul(0.5));
        if (inputTrains) Compare([input, .. factors], t => Run(t[0], t[1], t[2]));
        else Compare(factors, t => Run(input.to_type(t[0].dtype), t[0], t[1]));
    }

    private static Tensor Random(int seed, params long[] shape)
    {
        using var rng = new Generator((ulong)seed);
        return empty(shape, ScalarType.Float32).normal_(generator: rng);
    }

    private static void Compare(Tensor[] inputs, Func<Tensor[], Tensor> run)
    {
        using var scope = NewDisposeScope();
        var narrow = inputs.Select(i => i.clone().requires_grad_()).ToArray();
        var wide = inputs.Select(i => i.to_type(ScalarType.Float64).requires_grad_()).ToArray();
        var (found, expected) = (run(narrow), run(wide));
        Assert.Equal(ScalarType.Float32, found.dtype);
        // The norm computes in float32 whatever it is given, so float64 is no more exact than that there.
        Assert.True(Fixtures.MaxDifference(found, expected) < 2e-5);
        using (no_grad()) Assert.True(Fixtures.MaxDifference(run(narrow), expected) < 2e-5);
        var weights = Random(9, found.shape);
        found.mul(weights).sum().backward();
        expected.mul(weights.to_type(ScalarType.Float64)).sum().backward();
        foreach (var (n, w) in narrow.Zip(wide)) Assert.True(Fixtures.MaxDifference(n.grad!, w.grad!) < 1e-4);
    }
}
