using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Graft.Modeling.Files.GgufFloats;

namespace Graft.Modeling.Files;

/// <summary>
/// Widening of ggml's "K" types: blocks of 256 elements whose parts have scales of their own, themselves quantised
/// (<c>ggml-quants.c</c>, <c>dequantize_row_*_K</c>). Order of operations as there, without fused ones.
/// </summary>
internal static unsafe class GgufSuperBlocks
{
    // d, dmin: half; 12 bytes of scales and minima; 128 bytes of halves: 32 bytes hold elements i (low) and i + 32 (high).
    public static void Q4_K(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 144, target += 256)
        {
            var (d, least) = (Half16(source), Half16(source + 2));
            for (var pair = 0; pair < 4; pair++)
            {
                var (scaleA, minA) = Scale(source + 4, 2 * pair, d, least);
                var (scaleB, minB) = Scale(source + 4, 2 * pair + 1, d, least);
                for (var i = 0; i < 32; i += 16)
                {
                    var both = Vector128.Load(source + 16 + pair * 32 + i);
                    (Unsigned(both & Vector128.Create((byte)15)) * scaleA - minA).Store(target + pair * 64 + i);
                    (Unsigned(both >> 4) * scaleB - minB).Store(target + pair * 64 + 32 + i);
                }
            }
        }
    }

    // As Q4_K, with 32 bytes of fifth bits before the halves: byte i has those of elements i, i + 32, i + 64, ...
    public static void Q5_K(byte* source, float* target, long blocks)
    {
        var sixteen = Vector128.Create((byte)16);
        for (; blocks-- > 0; source += 176, target += 256)
        {
            var (d, least) = (Half16(source), Half16(source + 2));
            for (var pair = 0; pair < 4; pair++)
            {
                var (scaleA, minA) = Scale(source + 4, 2 * pair, d, least);
                var (scaleB, minB) = Scale(source + 4, 2 * pair + 1, d, least);
                for (var i = 0; i < 32; i += 16)
                {
                    var both = Vector128.Load(source + 48 + pair * 32 + i);
                    var fifths = Vector128.Load(source + 16 + i) >> (2 * pair);
                    var low = both & Vector128.Create((byte)15) | fifths << 4 & sixteen;
                    var high = both >> 4 | fifths << 3 & sixteen;
                    (Unsigned(low) * scaleA - minA).Store(target + pair * 64 + i);
                    (Unsigned(high) * scaleB - minB).Store(target + pair * 64 + 32 + i);
                }
            }
        }
    }

    // 128 bytes of low halves, 64 bytes of upper pairs of bits, 16 signed scales, d. Each half block of 128 elements has 64
    // bytes of halves (elements l, l + 32 in the low ones, l + 64, l + 96 in the high ones) and 32 bytes of pairs.
    public static void Q6_K(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 210, target += 256)
        {
            var d = Half16(source + 208);
            for (var half = 0; half < 2; half++)
            {
                byte* low = source + half * 64, high = source + 128 + half * 32;
                var scales = (sbyte*)source + 192 + half * 8;
                var to = target + half * 128;
                for (var part = 0; part < 2; part++)
                {
                    var i = part * 16;
                    Vector128<byte> first = Vector128.Load(low + i), second = Vector128.Load(low + 32 + i),
                        pairs = Vector128.Load(high + i);
                    Store(first & Vector128.Create((byte)15), pairs << 4, d * scales[part], to + i);
                    Store(second & Vector128.Create((byte)15), pairs << 2, d * scales[part + 2], to + 32 + i);
                    Store(first >> 4, pairs, d * scales[part + 4], to + 64 + i);
                    Store(second >> 4, pairs >> 2, d * scales[part + 6], to + 96 + i);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> low, Vector128<byte> high, float scale, float* target)
    {
        var values = low | high & Vector128.Create((byte)0x30);
        ((Unsigned(values) - Vector512.Create(32f)) * Vector512.Create(scale)).Store(target);
    }

    /// <summary>
    /// Scale and minimum of part <paramref name="j"/> of eight: six bits each, the last four parts' upper two lie over the first four's.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Scale, Vector512<float> Least) Scale(byte* q, int j, float d, float least)
    {
        var (scale, min) = j < 4
            ? (q[j] & 63, q[j + 4] & 63)
            : (q[j + 4] & 15 | q[j - 4] >> 6 << 4, q[j + 4] >> 4 | q[j] >> 6 << 4);
        return (Vector512.Create(d * scale), Vector512.Create(least * min));
    }
}
