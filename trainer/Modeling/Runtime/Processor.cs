namespace Graft.Modeling.Runtime;

/// <summary>What kind of processor computes, as the kernel describes it, and what follows for the arithmetic.</summary>
internal sealed record Processor(string Vendor, IReadOnlySet<string> Flags)
{
    public static Processor Current { get; } = Read("/proc/cpuinfo");

    /// <summary>
    /// Whether it multiplies BF16 faster than F32: by AMX, or by AVX512_BF16 on AMD's processors. Intel's without AMX issue
    /// those instructions so slowly that a product takes twice as long as in F32.
    /// </summary>
    public bool PrefersBf16 => Flags.Contains("amx_bf16") || (Flags.Contains("avx512_bf16") && Vendor == "AuthenticAMD");

    /// <summary>
    /// Whether libtorch's float32 products, which are MKL's, are slow here: MKL keeps its AVX-512 code for Intel's processors.
    /// oneDNN, which libtorch carries as well, looks at what the processor can do, and is twice as fast on the others.
    /// </summary>
    public bool PrefersOneDnn => Flags.Contains("avx512f") && Vendor != "GenuineIntel";

    /// <summary>The first processor of such a file; nothing is known of it when there is no such file.</summary>
    public static Processor Read(string path)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return new Processor("", new HashSet<string>());
        foreach (var line in File.ReadLines(path).TakeWhile(l => l.Length > 0))
            if (line.IndexOf(':') is var colon and > 0) fields.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
        return new Processor(
            fields.GetValueOrDefault("vendor_id", ""), fields.GetValueOrDefault("flags", "").Split(' ').ToHashSet(StringComparer.Ordinal));
    }
}
