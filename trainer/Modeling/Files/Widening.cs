using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>Turns a GGUF tensor's blocks into a torch tensor, on all processors.</summary>
internal static unsafe class Widening
{
    /// <summary>Rows that one piece of work has, at least, so that small tensors are not cut up.</summary>
    private const int ElementsAtOnce = 1 << 16;

    /// <param name="rowOf">Where row i of the file goes in the result; null: it stays.</param>
    /// <returns>A CPU tensor of the file's shape.</returns>
    public static Tensor ToTensor(GgufFile file, GgufTensor tensor, ScalarType dtype, Func<long, long>? rowOf = null)
    {
        if (tensor.Type.Widen is not { } widen)
            throw new ModelFormatException(file.Path, $"the tensor '{tensor.Name}' has the type {tensor.Type.Name}, which is not supported");
        long[] shape = [.. tensor.Shape];
        var result = empty(shape, dtype is ScalarType.BFloat16 or ScalarType.Float16 ? dtype : ScalarType.Float32);
        var target = (byte*)Aten.DataPointer(result);
        var source = file.Address(tensor);
        var (rows, columns, rowBytes) = (tensor.Rows, tensor.RowElements, tensor.RowBytes);
        var size = (int)result.element_size();
        var step = Math.Max(1, ElementsAtOnce / columns);
        Parallel.For(0, (rows + step - 1) / step, piece =>
        {
            var buffer = size == 4 ? null : (float*)NativeMemory.Alloc((nuint)columns, 4);
            for (var row = piece * step; row < Math.Min(rows, (piece + 1) * step); row++)
            {
                var to = target + (rowOf?.Invoke(row) ?? row) * columns * size;
                var values = size == 4 ? (float*)to : buffer;
                widen(source + row * rowBytes, values, columns / tensor.Type.BlockElements);
                if (dtype == ScalarType.BFloat16) ToBf16(values, (ushort*)to, columns);
                else if (dtype == ScalarType.Float16) ToF16(values, (Half*)to, columns);
            }
            NativeMemory.Free(buffer);
        });
        if (result.dtype == dtype) return result;
        using (result) return result.to_type(dtype);
    }

    /// <summary>Rounds to nearest, ties to even; weights that are no numbers stay none.</summary>
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
