using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Which element type a precision means on a device.</summary>
public static class Precisions
{
    /// <summary>
    /// The element type of the base's weights and activations. <see cref="Precision.Auto"/> is BF16 on GPUs and on processors
    /// that multiply BF16 faster than F32, else F32; and always F32 where the weights themselves train, because their updates are
    /// smaller than BF16 resolves.
    /// </summary>
    /// <param name="weightsTrain">True for full training.</param>
    public static ScalarType Resolve(Precision precision, Device device, bool weightsTrain) => precision switch
    {
        Precision.F32 => ScalarType.Float32,
        Precision.BF16 => ScalarType.BFloat16,
        Precision.F16 => ScalarType.Float16,
        _ when weightsTrain => ScalarType.Float32,
        _ => device.type != TorchSharp.DeviceType.CPU || CpuPrefersBf16 ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>The contract's name of an element type.</summary>
    public static Precision Of(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 => Precision.F32,
        ScalarType.BFloat16 => Precision.BF16,
        ScalarType.Float16 => Precision.F16,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a precision"),
    };

    /// <summary>
    /// Whether this processor multiplies BF16 faster than F32: by AMX, or by AVX512_BF16 on AMD's processors. Intel's
    /// without AMX issue those instructions so slowly that a product takes twice as long as in F32.
    /// </summary>
    public static bool CpuPrefersBf16 { get; } = PrefersBf16(ReadCpu("/proc/cpuinfo"));

    internal static bool PrefersBf16((string Vendor, IReadOnlySet<string> Flags) cpu) =>
        cpu.Flags.Contains("amx_bf16") || (cpu.Flags.Contains("avx512_bf16") && cpu.Vendor == "AuthenticAMD");

    /// <summary>The first processor, as the kernel describes it.</summary>
    internal static (string Vendor, IReadOnlySet<string> Flags) ReadCpu(string path)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return ("", new HashSet<string>());
        foreach (var line in File.ReadLines(path).TakeWhile(l => l.Length > 0))
            if (line.IndexOf(':') is var colon and > 0) fields.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
        return (fields.GetValueOrDefault("vendor_id", ""), fields.GetValueOrDefault("flags", "").Split(' ').ToHashSet(StringComparer.Ordinal));
    }
}
