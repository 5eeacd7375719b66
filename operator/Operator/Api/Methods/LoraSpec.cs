using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record LoraSpec
{
    [RangeMinimum(1), RangeMaximum(512), Description("r, the rank of the updates. Absent: 8.")]
    public int? Rank { get; init; }

    [RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(65536), Description("The update counts alpha / rank times. Absent: 16.")]
    public double? Alpha { get; init; }

    [RangeMinimum(0), RangeMaximum(1, exclusiveMaximum: true)]
    [Description("Probability of leaving out an input element of the update while training. Absent: 0.")]
    public double? Dropout { get; init; }

    [Description("Which modules get an update. Exactly one member. Absent: every linear layer of the blocks.")]
    public TargetsSpec? Targets { get; init; }

    [Description("Scale by alpha / sqrt(rank) instead, which keeps large ranks stable (arXiv:2312.03732). Absent: false.")]
    public bool? RsLora { get; init; }

    [Description("DoRA (arXiv:2402.09353): the updated weight gives only directions, and a vector that trains gives its lengths. Slower;"
        + " not every engine serves it unless it is merged. Absent: false.")]
    public bool? Dora { get; init; }

    [Description("What A and B are before the first step. Default, also when absent: A uniform, B zero. Gaussian: A normal, B zero."
        + " Pissa: the weight's largest singular directions (arXiv:2404.02948). Olora: the first columns of its QR decomposition"
        + " (arXiv:2406.01775). The artifact of each loads on the original base model.")]
    public UpdateInitialization? Initialization { get; init; }

    [RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(65536)]
    [Description("LoRA+ (arXiv:2402.12354): B learns so many times faster than A; 16 is usual. Absent: 1.")]
    public double? LoraPlusRatio { get; init; }

    [Items(1, 64)]
    [ValidationRule("self.all(p, self.exists_one(q, q.modules == p.modules))", message: "no expression stands there twice")]
    [Description("Ranks of modules that differ from the others'. The first that fits counts.")]
    public IList<RankPatternSpec>? RankPattern { get; init; }

    [Items(1, 64)]
    [ValidationRule("self.all(p, self.exists_one(q, q.modules == p.modules))", message: "no expression stands there twice")]
    [Description("Alphas of modules that differ from the others'. The first that fits counts.")]
    public IList<AlphaPatternSpec>? AlphaPattern { get; init; }

    [Description("Which biases train: None (also when absent), All of the model, or LoraOnly, those of the targets. Engines that serve"
        + " adapters beside a base take none.")]
    public TrainedBiases? Bias { get; init; }

    [Items(1, 64), Length(1, 256)]
    [Description("Modules that train whole and are saved with the updates, by the last part of their names (embed_tokens, lm_head).")]
    public IList<string>? ModulesToSave { get; init; }

    [Items(1, 512), RangeMinimum(0), RangeMaximum(4095)]
    [Description("Blocks, counted from 0, whose modules get an update (PEFT's layers_to_transform). Absent: all of them.")]
    public IList<int>? Layers { get; init; }
}

[ValidationRule("has(self.allLinear) != has(self.modules)", message: "exactly one of: allLinear, modules")]
internal sealed record TargetsSpec
{
    [Description("Every linear layer of the blocks; not the embedding and not the output head.")]
    public AllLinearSpec? AllLinear { get; init; }

    [Items(1, 64), Length(1, 256)]
    [Description("Module names by their last part (q_proj) or any longer suffix; the embedding (embed_tokens) and the output head"
        + " (lm_head) may be among them.")]
    public IList<string>? Modules { get; init; }
}

internal sealed record AllLinearSpec;

// Lists and not maps, because a map that went through a Kubernetes API has no order.

internal sealed record RankPatternSpec
{
    [Required, Length(1, 256), Description(PatternTexts.Modules)]
    public string Modules { get; init; } = "";

    [Required, RangeMinimum(1), RangeMaximum(512), Description("Their rank.")]
    public int Rank { get; init; }
}

internal sealed record AlphaPatternSpec
{
    [Required, Length(1, 256), Description(PatternTexts.Modules)]
    public string Modules { get; init; } = "";

    [Required, RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(65536), Description("Their alpha.")]
    public double Alpha { get; init; }
}

internal static class PatternTexts
{
    public const string Modules = "A regular expression that matches the whole path of a module, or all that follows a dot in it:"
        + " q_proj, layers.0.mlp.up_proj, layers\\.[0-3]\\..*";
}

[JsonConverter(typeof(JsonStringEnumConverter<UpdateInitialization>))]
internal enum UpdateInitialization { Default, Gaussian, Pissa, Olora }

[JsonConverter(typeof(JsonStringEnumConverter<TrainedBiases>))]
internal enum TrainedBiases { None, All, LoraOnly }
