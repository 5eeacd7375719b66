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

internal sealed record SecretRef
{
    [Required, Length(1, 253), Pattern(NamePatterns.Subdomain)]
    public string Name { get; init; } = "";
}

[ValidationRule("has(self.pvc)", message: "exactly one of: pvc")]
internal sealed record CacheSpec
{
    [Description("A claim that all pods which fetch this model can mount and write: ReadWriteMany, or pods of one node.")]
    public PvcSpec? Pvc { get; init; }
}

internal static class SourceTexts
{
    public const string Model = "A model folder in Hugging Face layout, or a .gguf file: pvc://CLAIM/PATH, hf://ORG/MODEL@REVISION,"
        + " s3://BUCKET/PREFIX, oci://HOST/REPOSITORY@sha256:DIGEST, or on one machine only file:///PATH or file://./PATH.";

    public const string Credentials =
        "Secret to fetch the source with, mounted as files. hf://: key token or HF_TOKEN. s3://: AWS_ACCESS_KEY_ID,"
        + " AWS_SECRET_ACCESS_KEY, and perhaps AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL."
        + " oci://: .dockerconfigjson, or username and password.";

    public const string Cache =
        "Where what is fetched is kept for other pods, in the layout of HF_HOME. Absent: each pod fetches for itself.";
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
