using System.Runtime.CompilerServices;

namespace Graft.Modeling.Files;

/// <summary>Widens <paramref name="blocks"/> blocks to float32.</summary>
internal unsafe delegate void Dequantize(byte* source, float* target, long blocks);

/// <summary>
/// How ggml stores the numbers of a tensor: blocks of so many elements in so many bytes (ggml's <c>ggml-common.h</c>). A type
/// without <see cref="Widen"/> is known by size only.
/// </summary>
internal sealed unsafe record GgufType(uint Id, string Name, int BlockElements, int BlockBytes, Dequantize? Widen = null)
{
    /// <summary>By the number in the file.</summary>
    public static IReadOnlyDictionary<uint, GgufType> All { get; } = new GgufType[]
    {
        new(0, "F32", 1, 4, F32),
        new(1, "F16", 1, 2, F16),
        new(2, "Q4_0", 32, 18, Q4_0),
        new(3, "Q4_1", 32, 20, Q4_1),
        new(6, "Q5_0", 32, 22, Q5_0),
        new(7, "Q5_1", 32, 24, Q5_1),
        new(8, "Q8_0", 32, 34, Q8_0),
        new(9, "Q8_1", 32, 36),
        new(10, "Q2_K", 256, 84),
        new(11, "Q3_K", 256, 110),
        new(12, "Q4_K", 256, 144),
        new(13, "Q5_K", 256, 176),
        new(14, "Q6_K", 256, 210),
        new(15, "Q8_K", 256, 292),
        new(16, "IQ2_XXS", 256, 66),
        new(17, "IQ2_XS", 256, 74),
        new(18, "IQ3_XXS", 256, 98),
        new(19, "IQ1_S", 256, 50),
        new(20, "IQ4_NL", 32, 18),
        new(21, "IQ3_S", 256, 110),
        new(22, "IQ2_S", 256, 82),
        new(23, "IQ4_XS", 256, 136),
        new(24, "I8", 1, 1),
        new(25, "I16", 1, 2),
        new(26, "I32", 1, 4),
        new(27, "I64", 1, 8),
        new(28, "F64", 1, 8),
        new(29, "IQ1_M", 256, 56),
        new(30, "BF16", 1, 2, BF16),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17),
    }.ToDictionary(t => t.Id);

    private static void F32(byte* source, float* target, long blocks) => Buffer.MemoryCopy(source, target, blocks * 4, blocks * 4);

    private static void F16(byte* source, float* target, long blocks)
    {
        for (long i = 0; i < blocks; i++) target[i] = Half16(source + i * 2);
    }

    private static void BF16(byte* source, float* target, long blocks)
    {
        for (long i = 0; i < blocks; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source + i * 2) << 16);
    }

    // A 4-bit block holds element i in the low half of byte i and element i + 16 in its high half.
    private static void Q4_0(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 18, target += 32)
        {
            var d = Half16(source);
            for (var i = 0; i < 16; i++)
            {
                int q = source[2 + i];
                target[i] = ((q & 15) - 8) * d;
                target[i + 16] = ((q >> 4) - 8) * d;
            }
        }
    }

    private static void Q4_1(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 20, target += 32)
        {
            var (d, m) = (Half16(source), Half16(source + 2));
            for (var i = 0; i < 16; i++)
            {
                int q = source[4 + i];
                target[i] = (q & 15) * d + m;
                target[i + 16] = (q >> 4) * d + m;
            }
        }
    }

    // The fifth bits of a 5-bit block's elements lie together, element i's in bit i.
    private static void Q5_0(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 22, target += 32)
        {
            var d = Half16(source);
            var high = Unsafe.ReadUnaligned<uint>(source + 2);
            for (var i = 0; i < 16; i++)
            {
                int q = source[6 + i];
                target[i] = ((q & 15 | (int)(high >> i << 4 & 16)) - 16) * d;
                target[i + 16] = ((q >> 4 | (int)(high >> (i + 16) << 4 & 16)) - 16) * d;
            }
        }
    }

    private static void Q5_1(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 24, target += 32)
        {
            var (d, m) = (Half16(source), Half16(source + 2));
            var high = Unsafe.ReadUnaligned<uint>(source + 4);
            for (var i = 0; i < 16; i++)
            {
                int q = source[8 + i];
                target[i] = (q & 15 | (int)(high >> i << 4 & 16)) * d + m;
                target[i + 16] = (q >> 4 | (int)(high >> (i + 16) << 4 & 16)) * d + m;
            }
        }
    }

    private static void Q8_0(byte* source, float* target, long blocks)
    {
        for (; blocks-- > 0; source += 34, target += 32)
        {
            var d = Half16(source);
            for (var i = 0; i < 32; i++) target[i] = (sbyte)source[2 + i] * d;
        }
    }

    private static float Half16(byte* source) => (float)Unsafe.ReadUnaligned<Half>(source);
}
