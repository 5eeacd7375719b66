using Graft.Modeling.Files;

namespace Graft.Modeling.Tests.Files;

/// <summary>
/// Blocks of bytes in no order against a plain reading of ggml's definitions (<c>ggml-common.h</c> for what lies where,
/// <c>dequantize_row_*</c> of <c>ggml-quants.c</c> for what it means), element by element.
/// </summary>
public sealed class GgufBlockTests
{
    [Fact]
    public void Q5_K_is_widened_as_ggml_defines_it() => Check("Q5_K", 0, block =>
    {
        var (d, least) = (Half(block, 0), Half(block, 2));
        return Enumerable.Range(0, 256).Select(i =>
        {
            var (part, within) = (i / 32, i % 32);
            var (scale, min) = ScaleAndMin(block.AsSpan(4, 12), part);
            // A byte of qs holds an element of an even part in its low half, and one of the part after in its high one.
            int pair = block[48 + part / 2 * 32 + within], low = part % 2 == 0 ? pair % 16 : pair / 16;
            var fifth = block[16 + within] >> part & 1;
            return d * scale * (low + 16 * fifth) - least * min;
        });
    });

    [Fact]
    public void Q4_K_is_widened_as_ggml_defines_it() => Check("Q4_K", 0, block =>
    {
        var (d, least) = (Half(block, 0), Half(block, 2));
        return Enumerable.Range(0, 256).Select(i =>
        {
            var (part, within) = (i / 32, i % 32);
            var (scale, min) = ScaleAndMin(block.AsSpan(4, 12), part);
            int pair = block[16 + part / 2 * 32 + within];
            return d * scale * (part % 2 == 0 ? pair % 16 : pair / 16) - least * min;
        });
    });

    [Fact]
    public void Q6_K_is_widened_as_ggml_defines_it() => Check("Q6_K", 208, block =>
    {
        var d = Half(block, 208);
        return Enumerable.Range(0, 256).Select(i =>
        {
            // In each half of the block four rows of 32: two share the low and high halves of the bytes of ql with the two below them.
            int half = i / 128, row = i % 128 / 32, within = i % 32;
            int pair = block[half * 64 + row % 2 * 32 + within], low = row < 2 ? pair % 16 : pair / 16;
            var high = block[128 + half * 32 + within] >> 2 * row & 3;
            var scale = (sbyte)block[192 + half * 8 + row * 2 + within / 16];
            return d * scale * (low + 16 * high - 32);
        });
    });

    [Fact]
    public void BF16_is_the_upper_half_of_a_float() => Check("BF16", -1, block =>
        [BitConverter.UInt32BitsToSingle((uint)(block[0] | block[1] << 8) << 16)]);

    [Theory]
    [InlineData(0x3F80, 1f)]
    [InlineData(0xC0A0, -5f)]
    [InlineData(0x0001, 9.1835e-41f)]
    [InlineData(0x7F80, float.PositiveInfinity)]
    public unsafe void BF16_numbers_are_what_they_are(int bits, float value)
    {
        var (source, found) = ((ushort)bits, 0f);
        GgufType.Named("BF16")!.Widen!((byte*)&source, &found, 1);
        Assert.Equal(value, found, Math.Abs(value) < 1 ? 1e-44f : 0f);
    }

    /// <summary>Many blocks at once, so that none is read at another's place.</summary>
    private static unsafe void Check(string name, int halfAt, Func<byte[], IEnumerable<float>> plain)
    {
        var type = GgufType.Named(name)!;
        var blocks = new byte[7][];
        var random = new Random(11);
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new byte[type.BlockBytes];
            random.NextBytes(blocks[i]);
            // Scales are numbers of an ordinary size; of the K types two where there are minima.
            if (halfAt >= 0) BitConverter.TryWriteBytes(blocks[i].AsSpan(halfAt), (Half)(0.01 + random.NextDouble()));
            if (halfAt == 0) BitConverter.TryWriteBytes(blocks[i].AsSpan(2), (Half)(0.01 + random.NextDouble()));
            if (halfAt < 0) blocks[i][1] = (byte)(blocks[i][1] & 0xBF);
        }
        var wanted = blocks.SelectMany(plain).ToArray();
        Assert.Equal(blocks.Length * type.BlockElements, wanted.Length);
        var found = new float[wanted.Length];
        fixed (byte* source = blocks.SelectMany(b => b).ToArray())
        fixed (float* target = found) type.Widen!(source, target, blocks.Length);
        Assert.Equal(wanted, found);
        Assert.True(wanted.Distinct().Count() > wanted.Length / 8);
    }

    private static float Half(byte[] block, int at) => (float)BitConverter.ToHalf(block, at);

    /// <summary><c>get_scale_min_k4</c>: six bits each of eight parts in twelve bytes.</summary>
    private static (int Scale, int Min) ScaleAndMin(ReadOnlySpan<byte> q, int part) => part < 4
        ? (q[part] % 64, q[part + 4] % 64)
        : (q[part + 4] % 16 + q[part - 4] / 64 * 16, q[part + 4] / 16 + q[part] / 64 * 16);
}
