using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record ModelSpec
{
    [Required, Length(1, 1024)]
    [Description(SourceTexts.Model)]
    public string Source { get; init; } = "";

    [Description(SourceTexts.Credentials)]
    public SecretRef? CredentialsRef { get; init; }

    [Description(SourceTexts.Cache)]
    public CacheSpec? Cache { get; init; }

    [DefaultValue("Auto"), Description("Arithmetic of the base model. Auto: BF16 where the device computes it faster, else F32.")]
    public ModelPrecision Precision { get; init; }

    [Description("How the frozen base is kept in memory. Exactly one member. Absent: as its file has it, quantised or not.")]
    public QuantizationSpec? Quantization { get; init; }
}

[ValidationRule("has(self.nf4) != has(self.none)", message: "exactly one of: nf4, none")]
internal sealed record QuantizationSpec
{
    [Description("Linear layers are quantised to QLoRA's four-bit NormalFloat as they are loaded.")]
    public Nf4Spec? Nf4 { get; init; }

    [Description("The weights of a quantised file are widened as they are loaded: faster, in several times the memory.")]
    public NoQuantizationSpec? None { get; init; }
}

internal sealed record Nf4Spec
{
    [Description("The scales are quantised too, which saves 0.37 bits a weight. Absent: true.")]
    public bool? DoubleQuant { get; init; }
}

internal sealed record NoQuantizationSpec;

[JsonConverter(typeof(JsonStringEnumConverter<ModelPrecision>))]
internal enum ModelPrecision { Auto, F32, BF16, F16 }
