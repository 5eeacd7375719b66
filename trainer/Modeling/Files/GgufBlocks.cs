using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Graft.Modeling.Files.GgufFloats;

namespace Graft.Modeling.Files;

/// <summary>
/// Widening of ggml's blocks of 32 elements (<c>ggml-quants.c</c>, <c>dequantize_row_*</c>), with its order of operations and
/// without fused ones, so that every bit is the reference's. Two elements share a byte: i its low half, i + 16 its high one.
/// </summary>
internal static unsafe class GgufBlocks
{
    public static void Q4_0(byte* source, float* target, long blocks)
    {
        var eight = Vector512.Create(8f);
        for (; blocks-- > 0; source += 18, target += 32)
        {
            var d = Vector512.Create(Half16(source));
            var (low, high) = Nibbles(source + 2);
            ((Unsigned(low) - eight) * d).Store(target);
            ((Unsigned(high) - eight) * d).Store(target + 16);
        }
    }

    public static void Q4_1(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 20, target += 32)
        {
            var (d, m) = (Vector512.Create(Half16(source)), Vector512.Create(Half16(source + 2)));
            var (low, high) = Nibbles(source + 4);
            (Unsigned(low) * d + m).Store(target);
            (Unsigned(high) * d + m).Store(target + 16);
        }
    }

    public static void Q5_0(byte* source, float* target, long blocks)
    {
        var sixteen = Vector512.Create(16f);
        for (; blocks-- > 0; source += 22, target += 32)
        {
            var d = Vector512.Create(Half16(source));
            var (low, high) = FiveBits(source + 2, source + 6);
            ((Unsigned(low) - sixteen) * d).Store(target);
            ((Unsigned(high) - sixteen) * d).Store(target + 16);
        }
    }

    public static void Q5_1(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 24, target += 32)
        {
            var (d, m) = (Vector512.Create(Half16(source)), Vector512.Create(Half16(source + 2)));
            var (low, high) = FiveBits(source + 4, source + 8);
            (Unsigned(low) * d + m).Store(target);
            (Unsigned(high) * d + m).Store(target + 16);
        }
    }

    public static void Q8_0(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 34, target += 32)
        {
            var d = Vector512.Create(Half16(source));
            (Signed(Vector128.Load((sbyte*)source + 2)) * d).Store(target);
            (Signed(Vector128.Load((sbyte*)source + 18)) * d).Store(target + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) Nibbles(byte* at)
    {
        var both = Vector128.Load(at);
        return (both & Vector128.Create((byte)15), both >> 4);
    }

    /// <summary>The fifth bits of a block's elements lie together, element i's in bit i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) FiveBits(byte* fifths, byte* nibbles)
    {
        var (low, high) = Nibbles(nibbles);
        var bits = Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(fifths)).AsByte();
        return (low | Fifths(bits, Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)),
            high | Fifths(bits, Vector128.Create((byte)2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Fifths(Vector128<byte> bits, Vector128<byte> byteOf)
    {
        var bitOf = Vector128.Create(0x8040201008040201ul).AsByte();
        return Vector128.Equals(Vector128.Shuffle(bits, byteOf) & bitOf, bitOf) & Vector128.Create((byte)16);
    }
}
