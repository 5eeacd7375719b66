using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Graft.Modeling.Files;

/// <summary>Widening of the types that are plain floats, and the pieces that the quantised types need: all exact.</summary>
internal static unsafe class GgufFloats
{
    /// <summary>2^112: what the exponent of a half is short of a float's, once its bits lie in a float's places.</summary>
    private const float HalfBias = 5.192296858534828e33f;

    public static void F32(byte* source, float* target, long blocks) => Buffer.MemoryCopy(source, target, blocks * 4, blocks * 4);

    public static void F16(byte* source, float* target, long blocks)
    {
        long i = 0;
        for (; i + 16 <= blocks; i += 16) Halves(Vector256.Load((ushort*)source + i)).Store(target + i);
        for (; i < blocks; i++) target[i] = Half16(source + i * 2);
    }

    public static void BF16(byte* source, float* target, long blocks)
    {
        long i = 0;
        for (; i + 16 <= blocks; i += 16) (Widen(Vector256.Load((ushort*)source + i)) << 16).AsSingle().Store(target + i);
        for (; i < blocks; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source + i * 2) << 16);
    }

    /// <summary>One half. Its own arithmetic, because .NET's is several times slower and every block begins with one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half16(byte* source)
    {
        uint bits = Unsafe.ReadUnaligned<ushort>(source);
        if ((bits & 0x7c00) == 0x7c00) return (float)Unsafe.ReadUnaligned<Half>(source);
        var magnitude = BitConverter.UInt32BitsToSingle((bits & 0x7fff) << 13) * HalfBias;
        return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(magnitude) | (bits & 0x8000) << 16);
    }

    /// <summary>Sixteen small numbers without sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Unsigned(Vector128<byte> values) => Vector512.ConvertToSingle(Integers(values));

    /// <summary>Sixteen small numbers without sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Integers(Vector128<byte> values)
    {
        if (Avx512F.IsSupported) return Avx512F.ConvertToVector512Int32(values);
        var (low, high) = Vector128.Widen(values);
        return Vector512.Create(Widen(low), Widen(high)).AsInt32();
    }

    /// <summary>Sixteen small numbers with sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Signed(Vector128<sbyte> values)
    {
        if (Avx512F.IsSupported) return Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(values));
        var (low, high) = Vector128.Widen(values);
        return Vector512.ConvertToSingle(Vector512.Create(Widen(low), Widen(high)));
    }

    private static Vector512<float> Halves(Vector256<ushort> halves)
    {
        var bits = Widen(halves);
        var magnitude = bits & Vector512.Create(0x7fffu);
        var value = ((magnitude << 13).AsSingle() * Vector512.Create(HalfBias)).AsUInt32();
        // Infinities and what is no number keep their fraction under a float's largest exponent; a signalling one becomes quiet.
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x7c00u));
        var quiet = Vector512.GreaterThan(magnitude, Vector512.Create(0x7c00u)) & Vector512.Create(0x400000u);
        value = Vector512.ConditionalSelect(special, magnitude << 13 | Vector512.Create(0x7f800000u) | quiet, value);
        return (value | (bits & Vector512.Create(0x8000u)) << 16).AsSingle();
    }

    private static Vector512<uint> Widen(Vector256<ushort> values)
    {
        var (low, high) = Vector256.Widen(values);
        return Vector512.Create(low, high);
    }

    private static Vector256<uint> Widen(Vector128<ushort> values)
    {
        var (low, high) = Vector128.Widen(values);
        return Vector256.Create(low, high);
    }

    private static Vector256<int> Widen(Vector128<short> values)
    {
        var (low, high) = Vector128.Widen(values);
        return Vector256.Create(low, high);
    }
}
