using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Kernels;

/// <summary>Kernels get addresses: what they are given must stay where it is, and fit.</summary>
[Collection(TorchCollection.Name)]
public sealed unsafe class KernelMemoryTests
{
    [Fact]
    public void A_norm_is_right_though_its_weight_is_finalised_as_soon_as_it_may_be()
    {
        using var guard = no_grad();
        // Code that is not optimised yet keeps everything until its end; so it must be before this shows anything.
        using (var few = ones(20, 16))
        using (var small = zeros(16))
            for (var i = 0; i < 400; i++)
            {
                RmsNorm.Apply(few, small, 0, offset: true).Dispose();
                if (i % 100 == 99) Thread.Sleep(250);
            }
        using var stop = new CancellationTokenSource();
        // Kept for the same reason: TorchSharp does not keep a number alive that it makes for a call.
        using TorchSharp.Scalar one = 1, minusOne = -1, nan = float.NaN;
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                // Takes the place of what was freed.
                using var over = full([1 << 16], nan);
            }
        });
        collector.Start();
        using var x = ones(64, 1 << 16);
        using var weight = zeros(1 << 16);
        var wrong = 0;
        for (var i = 0; i < 100; i++)
        {
            using var y = RmsNorm.Apply(x, weight, 0, offset: true);
            using var difference = y.add(minusOne, one).abs_().max();
            if (!(difference.item<float>() < 1e-4)) wrong++;
        }
        stop.Cancel();
        collector.Join();
        Assert.Equal(0, wrong);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Shapes_that_do_not_fit_are_refused_before_memory_is_read(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Tensor Of(params long[] shape) => zeros(shape, dtype);
        string Refusal(Func<Tensor> work) => Assert.Throws<ArgumentException>(work).Message;

        Assert.Contains("(2, 32)", Refusal(() => Decoding.Linear(Of(2, 32), Of(8, 64))), StringComparison.Ordinal);
        Refusal(() => Decoding.Linear(Of(2, 3, 32), Of(8, 32)));
        Refusal(() => Decoding.RmsNorm(Of(2, 32), Of(16), 1e-5));
        Refusal(() => Decoding.SwiGlu(Of(2, 32), Of(2, 16)));
        Refusal(() => Decoding.Rotate(Of(2, 4, 32), Of(1, 1, 16), Of(1, 1, 16)));
        Refusal(() => Decoding.Rotate(Of(2, 4, 32), Of(2, 1, 32), Of(2, 1, 32)));
        Refusal(() => Decoding.Rotate(Of(2, 4, 32), Of(2, 1, 16), Of(2, 1, 8)));
        Refusal(() => Decoding.Rotate(Of(2, 4, 32), Of(2, 1, 16), zeros([2, 1, 16], ScalarType.Float64)));
    }

    [Fact]
    public void Kernels_of_training_refuse_shapes_that_do_not_fit()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => Kernel.RmsNorm(zeros(20, 32), zeros(16), 1e-5, null));
        Assert.Throws<ArgumentException>(() => Kernel.Gated(zeros(20, 32), zeros(20, 16), new SigmoidCurve(1, 0), null));
        Assert.Throws<ArgumentException>(() => Kernel.Rotate(zeros(20, 2, 32), zeros(10, 1, 16), zeros(10, 1, 16), null));
    }
}
