using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

[ValidationRule(
    "[has(self.lora), has(self.promptTuning), has(self.pTuning), has(self.prefixTuning), has(self.bottleneck), has(self.ia3),"
    + " has(self.full)].exists_one(m, m)",
    message: "exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full")]
internal sealed record MethodSpec
{
    [Description("Low-rank adaptation (arXiv:2106.09685): beside each chosen weight W an update B A of low rank trains. The usual choice:"
        + " it can be merged, and every engine serves it. On a quantised base (model.quantization.nf4) it is QLoRA (arXiv:2305.14314).")]
    public LoraSpec? Lora { get; init; }

    [Description("Prompt tuning (arXiv:2104.08691): vectors before the text's embeddings train, and nothing else. The smallest artifact.")]
    public PromptTuningSpec? PromptTuning { get; init; }

    [Description("P-tuning (arXiv:2103.10385): vectors before the text's embeddings, which a small network computes while it trains.")]
    public PTuningSpec? PTuning { get; init; }

    [Description("Prefix tuning (arXiv:2101.00190; without a projection P-tuning v2, arXiv:2110.07602): keys and values before those of the"
        + " text train, in the attention of every block.")]
    public PrefixTuningSpec? PrefixTuning { get; init; }

    [Description("Bottleneck adapters (arXiv:1902.00751): in every block two small linear layers train, with an activation between them.")]
    public BottleneckSpec? Bottleneck { get; init; }

    [Description("IA3 (arXiv:2205.05638): vectors that scale keys, values and the middle of the feed-forward layers train.")]
    public Ia3Spec? Ia3 { get; init; }

    [Description("Every weight of the model trains; the artifact is a whole model.")]
    public FullSpec? Full { get; init; }

    /// <summary>The members by their names in the API. A new method is a row here.</summary>
    [JsonIgnore, Ignore]
    public IReadOnlyList<(string Name, object? Options)> Members =>
    [
        ("lora", Lora), ("promptTuning", PromptTuning), ("pTuning", PTuning), ("prefixTuning", PrefixTuning),
        ("bottleneck", Bottleneck), ("ia3", Ia3), ("full", Full),
    ];

    /// <summary>The member that is set, as it is printed; null when it is not exactly one.</summary>
    [JsonIgnore, Ignore]
    public string? Name => Members.Where(m => m.Options is not null).ToList() is [var only] ? only.Name : null;
}

internal sealed record FullSpec;
