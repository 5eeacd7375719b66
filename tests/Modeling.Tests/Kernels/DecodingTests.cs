using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Kernels;

/// <summary>Kernels for few rows against what libtorch computes in float32.</summary>
[Collection(TorchCollection.Name)]
public sealed class DecodingTests
{
    [Theory]
    [InlineData(1, 64, 48, ScalarType.Float32)]
    [InlineData(3, 70, 33, ScalarType.Float32)]
    [InlineData(4, 31, 7, ScalarType.BFloat16)]
    [InlineData(13, 96, 1029, ScalarType.BFloat16)]
    public void A_product_of_few_rows_is_right_and_a_row_does_not_depend_on_the_others(int rows, int inner, int outer, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (x, weight) = (Draw(dtype, rows, inner), Draw(dtype, outer, inner));
        Assert.True(Decoding.Takes(x, weight));
        var found = Decoding.Linear(x, weight);
        Close(x.to_type(ScalarType.Float32).matmul(weight.to_type(ScalarType.Float32).t()), found);
        for (var r = 0; r < rows; r++)
            Assert.True(found[r].equal(Decoding.Linear(x.narrow(0, r, 1).contiguous(), weight)[0]).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Attention_over_caches_is_right_while_they_grow(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        const int heads = 4, groups = 2, size = 16, most = 150;
        using var model = Fixtures.Llama();
        var config = model.Config with { Layers = 2, KvHeads = groups, HeadSize = size };
        using var cache = new KvCache(config, most, Fixtures.Cpu, dtype);
        var (keys, values) = (Draw(dtype, most, groups, size), Draw(dtype, most, groups, size));
        cache.Append(0, keys.narrow(0, 0, 60), values.narrow(0, 0, 60));
        cache.Append(1, keys.narrow(0, 0, 60), values.narrow(0, 0, 60));
        cache.Advance(60);
        Assert.Equal(64, cache.Reserved);
        for (var at = 60; at < most; at++)
        {
            var query = Draw(dtype, 1, heads, size);
            foreach (var layer in new[] { 0, 1 })
            {
                var held = cache.AppendOne(layer, keys, values, at);
                var found = Decoding.Attention(query, [held], groups, 0.25);
                var wide = nn.functional.scaled_dot_product_attention(
                    query.to_type(ScalarType.Float32).transpose(0, 1), Held(keys),
                        Held(values));         // (H, 1, D); D is 16, so the scale is 0.25
                Close(wide.reshape(1, -1), found);
            }
            cache.Advance(1);

            Tensor Held(Tensor all) =>
                all.narrow(0, 0, at + 1).to_type(ScalarType.Float32).transpose(0, 1).repeat_interleave(heads / groups, 0);
        }
        Assert.Equal((most, most), (cache.Length, cache.Reserved));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Norms_rotations_and_gates_are_right(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (x, weight) = (Draw(dtype, 3, 40), Draw(dtype, 40));
        var wide = x.to_type(ScalarType.Float32);
        Close(wide.mul(wide.square().mean([-1], keepdim: true).add(1e-5).rsqrt()).mul(weight.to_type(ScalarType.Float32)),
            Decoding.RmsNorm(x, weight, 1e-5));
        var up = Draw(dtype, 3, 40);
        Close(nn.functional.silu(wide).mul(up.to_type(ScalarType.Float32)), Decoding.SwiGlu(x, up));
        foreach (var (size, turned) in new[] { (40, 40), (40, 12), (64, 64) })
        {
            var heads = Draw(dtype, 3, 2, size);
            var (cos, sin) = (Draw(dtype, 3, 1, turned / 2), Draw(dtype, 3, 1, turned / 2));
            var (h, c, s) = (heads.to_type(ScalarType.Float32), cos.to_type(ScalarType.Float32), sin.to_type(ScalarType.Float32));
            var (a, b) = (h.narrow(2, 0, turned / 2), h.narrow(2, turned / 2, turned / 2));
            Close(cat([a.mul(c).sub(b.mul(s)), b.mul(c).add(a.mul(s)), h.narrow(2, turned, size - turned)], 2),
                Decoding.Rotate(heads, cos, sin));
        }
    }

    [Fact]
    public void What_is_not_a_number_stays_so()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var x = full([1, 32], float.NaN, ScalarType.BFloat16);
        Assert.True(Decoding.Linear(x, ones(8, 32, ScalarType.BFloat16)).isnan().all().item<bool>());
        Assert.True(Decoding.SwiGlu(x, x).isnan().all().item<bool>());
    }

    /// <summary>Each product is rounded by itself, as modules of a reference that computes in BF16 round what they return.</summary>
    [Fact]
    public void A_gate_in_bf16_is_rounded_before_it_is_multiplied()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (gate, up) = (Draw(ScalarType.BFloat16, 16, 1003), Draw(ScalarType.BFloat16, 3, 16, 1003)[1].contiguous());
        var wanted = nn.functional.silu(gate).mul(up);
        var different = Decoding.SwiGlu(gate, up).ne(wanted).to_type(ScalarType.Float32).mean().item<float>();
        // Almost always the same number: only exponentials that fall between two may be rounded to the other.
        Assert.InRange(different, 0, 0.005);
    }

    private static Tensor Draw(ScalarType dtype, params long[] shape)
    {
        using var generator = new Generator(shape.Aggregate(7UL, (a, b) => a * 31 + (ulong)b));
        return randn(shape, generator: generator).to_type(dtype);
    }

    private static void Close(Tensor wanted, Tensor found)
    {
        // BF16 has 8 bits; a step of rounding is allowed for each of the operations.
        var tolerance = found.dtype == ScalarType.Float32 ? 1e-5 : 2e-2;
        var scale = Math.Max(1, wanted.abs().max().item<float>());
        Assert.InRange(Fixtures.MaxDifference(wanted, found), 0, tolerance * scale);
    }
}
