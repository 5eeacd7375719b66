using Graft.Runtime;

namespace Graft.Operator.Api;

/// <summary>What a container asks for; the same of both kinds.</summary>
internal sealed record ResourcesSpec
{
    [Description("GPUs. Absent: none.")]
    public GpuSpec? Gpu { get; init; }

    [Length(1, 32), Pattern(NamePatterns.Quantity), Description("CPUs, as a quantity: 4 or 500m.")]
    public string? Cpu { get; init; }

    [Length(1, 32), Pattern(NamePatterns.Quantity), Description("Memory, as a quantity: 16Gi.")]
    public string? Memory { get; init; }
}

internal sealed record GpuSpec
{
    [Required, RangeMinimum(1), RangeMaximum(1), Description("How many; the programs use one.")]
    public int Count { get; init; } = 1;

    [Length(1, 63), Pattern(NamePatterns.LabelValue), Description("The node label nvidia.com/gpu.product, as NVIDIA-L40S. Absent: any.")]
    public string? Product { get; init; }

    /// <summary>As it is printed: <c>1xNVIDIA-L40S</c>.</summary>
    public override string ToString() => $"{Count}x{Product ?? "GPU"}";
}

internal static class SourceTexts
{
    public const string Model = "pvc://CLAIM/PATH, or on one machine only file:///PATH or file://./PATH:"
        + " a model folder in Hugging Face layout, or a .gguf file.";
}

internal static class NamePatterns
{
    public const string Subdomain = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    public const string Label = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    public const string LabelValue = "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";

    /// <summary>A positive quantity in the canonical spellings that people use.</summary>
    public const string Quantity = "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$";
    public const string Digest = "^sha256:[0-9a-f]{64}$";
}
