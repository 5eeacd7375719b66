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
        new(0, "F32", 1, 4, GgufFloats.F32),
        new(1, "F16", 1, 2, GgufFloats.F16),
        new(2, "Q4_0", 32, 18, GgufBlocks.Q4_0),
        new(3, "Q4_1", 32, 20, GgufBlocks.Q4_1),
        new(6, "Q5_0", 32, 22, GgufBlocks.Q5_0),
        new(7, "Q5_1", 32, 24, GgufBlocks.Q5_1),
        new(8, "Q8_0", 32, 34, GgufBlocks.Q8_0),
        new(9, "Q8_1", 32, 36),
        new(10, "Q2_K", 256, 84),
        new(11, "Q3_K", 256, 110),
        new(12, "Q4_K", 256, 144, GgufSuperBlocks.Q4_K),
        new(13, "Q5_K", 256, 176, GgufSuperBlocks.Q5_K),
        new(14, "Q6_K", 256, 210, GgufSuperBlocks.Q6_K),
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
        new(30, "BF16", 1, 2, GgufFloats.BF16),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17),
    }.ToDictionary(t => t.Id);

    /// <summary>By its name (<c>Q8_0</c>), or null.</summary>
    public static GgufType? Named(string name) => All.Values.FirstOrDefault(t => t.Name == name);

    /// <summary>Whether a number of it has fewer bits than a float of sixteen.</summary>
    public bool IsQuantized => BlockElements > 1;
}
