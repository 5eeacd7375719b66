using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>Writes rows of float32 in a GGUF type, by the same roundings as ggml's reference (<c>quantize_row_*_ref</c>).</summary>
internal static unsafe class GgufQuantizer
{
    private delegate void Narrow(float* source, byte* target, long blocks);

    private static readonly Dictionary<string, Narrow> Known = new(StringComparer.Ordinal)
    {
        ["F32"] = (source, target, blocks) => Buffer.MemoryCopy(source, target, blocks * 4, blocks * 4),
        ["F16"] = (source, target, blocks) => Narrowing.Store(source, target, blocks, ScalarType.Float16),
        ["BF16"] = (source, target, blocks) => Narrowing.Store(source, target, blocks, ScalarType.BFloat16),
        ["Q8_0"] = Q8_0,
        ["Q4_0"] = Q4_0,
    };

    /// <summary>Names of the types that can be written.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <param name="values">(rows, columns) float32, columns a multiple of the type's block.</param>
    /// <returns>The rows one after another.</returns>
    public static byte[] Quantise(ReadOnlySpan<float> values, GgufType type)
    {
        var blocks = values.Length / type.BlockElements;
        var bytes = new byte[blocks * (long)type.BlockBytes];
        fixed (float* source = values)
        fixed (byte* target = bytes) Known[type.Name](source, target, blocks);
        return bytes;
    }

    private static void Q8_0(float* source, byte* target, long blocks)
    {
        for (; blocks-- > 0; source += 32, target += 34)
        {
            var largest = 0f;
            for (var i = 0; i < 32; i++) largest = MathF.Max(largest, MathF.Abs(source[i]));
            var d = largest / 127;
            var inverse = d == 0 ? 0 : 1 / d;
            MemoryMarshal.Write(new Span<byte>(target, 2), (Half)d);
            for (var i = 0; i < 32; i++) target[2 + i] = (byte)(sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }

    private static void Q4_0(float* source, byte* target, long blocks)
    {
        for (; blocks-- > 0; source += 32, target += 18)
        {
            // The element of the largest magnitude becomes -8, so that it is met exactly.
            var extreme = 0f;
            for (var i = 0; i < 32; i++)
                if (MathF.Abs(source[i]) > MathF.Abs(extreme)) extreme = source[i];
            var d = extreme / -8;
            var inverse = d == 0 ? 0 : 1 / d;
            MemoryMarshal.Write(new Span<byte>(target, 2), (Half)d);
            for (var i = 0; i < 16; i++)
            {
                var low = Math.Min(15, (int)(source[i] * inverse + 8.5f));
                var high = Math.Min(15, (int)(source[i + 16] * inverse + 8.5f));
                target[2 + i] = (byte)(low | high << 4);
            }
        }
    }
}
