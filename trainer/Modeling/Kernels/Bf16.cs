using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Graft.Modeling.Kernels;

/// <summary>BF16: the upper half of a float32.</summary>
internal static unsafe class Bf16
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>To the nearest, ties to even, as libtorch rounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Round(float value)
    {
        if (float.IsNaN(value)) return 0x7FC0;
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* from) => (Vector512.WidenLower(Vector256.Load(from).ToVector512Unsafe()) << 16).AsSingle();

    /// <summary>16 elements as float32 that BF16 can hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) & Vector512.Create(0xFFFF0000u);
        return Vector512.ConditionalSelect(Vector512.Equals(value, value), rounded.AsSingle(), Vector512.Create(float.NaN));
    }

    /// <summary>4 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, ushort* to)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector128.Create(0x7FFFu) + ((bits >> 16) & Vector128<uint>.One)) >> 16;
        var upper = Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), rounded, Vector128.Create(0x7FC0u));
        Vector128.Narrow(upper, upper).GetLower().Store(to);
    }

    /// <summary>16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, ushort* to)
    {
        var upper = Round(value).AsUInt32() >> 16;
        Vector512.Narrow(upper, upper).GetLower().Store(to);
    }
}

/// <summary>How elements of a type lie in memory; kernels are compiled for each.</summary>
internal unsafe interface IElements<T> where T : unmanaged
{
    static abstract float Widen(T value);
    static abstract T Round(float value);
    static abstract Vector512<float> Round(Vector512<float> value);

    /// <summary>16 elements in their order.</summary>
    static abstract Vector512<float> Load(T* from);
    static abstract void Store(Vector512<float> value, T* to);
    static abstract void Store(Vector128<float> value, T* to);

    /// <summary>16 of 32 elements, in the order that is fastest.</summary>
    static abstract Vector512<float> First(T* from);

    /// <summary>The other 16.</summary>
    static abstract Vector512<float> Second(T* from);
}

internal readonly unsafe struct F32Elements : IElements<float>
{
    public static float Widen(float value) => value;
    public static float Round(float value) => value;
    public static Vector512<float> Round(Vector512<float> value) => value;
    public static Vector512<float> Load(float* from) => Vector512.Load(from);
    public static void Store(Vector512<float> value, float* to) => value.Store(to);
    public static void Store(Vector128<float> value, float* to) => value.Store(to);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First(float* from) => Vector512.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second(float* from) => Vector512.Load(from + 16);
}

internal readonly unsafe struct Bf16Elements : IElements<ushort>
{
    public static float Widen(ushort value) => Bf16.Widen(value);
    public static ushort Round(float value) => Bf16.Round(value);
    public static Vector512<float> Round(Vector512<float> value) => Bf16.Round(value);
    public static Vector512<float> Load(ushort* from) => Bf16.Load(from);
    public static void Store(Vector512<float> value, ushort* to) => Bf16.Store(value, to);
    public static void Store(Vector128<float> value, ushort* to) => Bf16.Store(value, to);

    /// <summary>Those at even places: each is half of a 32-bit word, and needs one operation to become a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First(ushort* from) => (Vector512.Load((uint*)from) << 16).AsSingle();

    /// <summary>Those at odd places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second(ushort* from) => (Vector512.Load((uint*)from) & Vector512.Create(0xFFFF0000u)).AsSingle();
}
