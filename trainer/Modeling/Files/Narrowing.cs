using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>Rounds float32 to the types of sixteen bits, to nearest and ties to even, as torch does.</summary>
internal static unsafe class Narrowing
{
    /// <exception cref="ArgumentOutOfRangeException">No type of sixteen bits.</exception>
    public static void Store(float* source, void* target, long count, ScalarType dtype)
    {
        if (dtype == ScalarType.BFloat16) ToBf16(source, (ushort*)target, count);
        else if (dtype == ScalarType.Float16) ToF16(source, (Half*)target, count);
        else throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "no type of sixteen bits");
    }

    /// <summary>Weights that are no numbers stay none.</summary>
    private static void ToBf16(float* source, ushort* target, long count)
    {
        long i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var low = Round(Vector256.Load((uint*)source + i));
            var high = Round(Vector256.Load((uint*)source + i + 8));
            Vector256.Narrow(low, high).Store(target + i);
        }
        for (; i < count; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(source[i]);
            target[i] = float.IsNaN(source[i]) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        }
    }

    private static Vector256<uint> Round(Vector256<uint> bits)
    {
        var rounded = (bits + Vector256.Create(0x7fffu) + (bits >> 16 & Vector256.Create(1u))) >> 16;
        var isNumber = Vector256.Equals(bits.AsSingle(), bits.AsSingle()).AsUInt32();
        return Vector256.ConditionalSelect(isNumber, rounded, Vector256.Create(0x7fc0u));
    }

    private static void ToF16(float* source, Half* target, long count)
    {
        for (long i = 0; i < count; i++) target[i] = (Half)source[i];
    }
}
