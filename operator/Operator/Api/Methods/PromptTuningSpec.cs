using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record PromptTuningSpec
{
    [RangeMinimum(1), RangeMaximum(4096), Description(SoftPromptTexts.VirtualTokens)]
    public int? VirtualTokens { get; init; }

    [Description("What the vectors are before the first step. Exactly one member. Absent: sampledVocabulary.")]
    public PromptInitializationSpec? Initialization { get; init; }
}

[ValidationRule("[has(self.random), has(self.sampledVocabulary), has(self.text)].exists_one(m, m)",
    message: "exactly one of: random, sampledVocabulary, text")]
internal sealed record PromptInitializationSpec
{
    [Description("Standard normal numbers.")]
    public RandomInitializationSpec? Random { get; init; }

    [Description("The embeddings of tokens drawn from the vocabulary.")]
    public SampledVocabularySpec? SampledVocabulary { get; init; }

    [Length(1, 4096), Description("The embeddings of this text's tokens, repeated or cut to virtualTokens: say what is to be done.")]
    public string? Text { get; init; }
}

internal sealed record RandomInitializationSpec;

internal sealed record SampledVocabularySpec;

internal static class SoftPromptTexts
{
    public const string VirtualTokens = "How many vectors; they count towards data.maxLength and the model's longest input. Absent: 20.";
    public const string HiddenSize = "Width of its inner layer. Absent: the model's hidden size.";
}
