using Graft.Contract;

namespace Graft.Trainer.Jobs;

/// <summary>Methods whose vectors take positions of the model's: prompt tuning, P-tuning, prefix tuning.</summary>
internal static class SoftPromptChecks
{
    private const int MaxVirtualTokens = 4096;
    private const int MaxHiddenSize = 65536;
    private const int MaxTextCharacters = 16384;

    public static void Check(Method method, int maxLength, JobErrors errors)
    {
        if (method.PromptTuning is { } prompt)
        {
            VirtualTokens(prompt.VirtualTokens, maxLength, "method.promptTuning.virtualTokens", errors);
            if (prompt.Initialization is { } initialization) Initialization(initialization, errors);
        }
        if (method.PTuning is { } pTuning)
        {
            VirtualTokens(pTuning.VirtualTokens, maxLength, "method.pTuning.virtualTokens", errors);
            if (pTuning.Encoder is { } encoder) Encoder(encoder, errors);
        }
        if (method.PrefixTuning is { } prefix)
        {
            VirtualTokens(prefix.VirtualTokens, maxLength, "method.prefixTuning.virtualTokens", errors);
            errors.Between(prefix.Projection?.HiddenSize, 1, MaxHiddenSize, "method.prefixTuning.projection.hiddenSize");
        }
    }

    /// <summary>A text needs a token to learn from and one to predict.</summary>
    private static void VirtualTokens(int tokens, int maxLength, string field, JobErrors errors)
    {
        errors.Between<int>(tokens, 1, MaxVirtualTokens, field);
        if (tokens is >= 1 and <= MaxVirtualTokens && tokens >= maxLength - 1)
            errors.Add(field, $"is {tokens}, which leaves no room for text; must be below data.maxLength ({maxLength}) less 1");
    }

    private static void Initialization(PromptInitialization initialization, JobErrors errors)
    {
        const string field = "method.promptTuning.initialization";
        errors.Union(field, ("random", initialization.Random), ("sampledVocabulary", initialization.SampledVocabulary),
            ("text", initialization.Text));
        if (initialization.Text is not { } text) return;
        errors.NotBlank(text, field + ".text");
        errors.Check(text.Length <= MaxTextCharacters, field + ".text",
            $"has {text.Length} characters; must have at most {MaxTextCharacters}");
    }

    private static void Encoder(PTuningEncoder encoder, JobErrors errors)
    {
        const string field = "method.pTuning.encoder";
        errors.Union(field, ("mlp", encoder.Mlp), ("lstm", encoder.Lstm));
        errors.Between(encoder.Mlp?.HiddenSize, 1, MaxHiddenSize, field + ".mlp.hiddenSize");
        if (encoder.Lstm is not { } lstm) return;
        errors.Between(lstm.HiddenSize, 1, MaxHiddenSize, field + ".lstm.hiddenSize");
        errors.Between<int>(lstm.Layers, 1, 16, field + ".lstm.layers");
        errors.Probability(lstm.Dropout, field + ".lstm.dropout");
        errors.Check(lstm.Dropout == 0 || lstm.Layers != 1, field + ".lstm.dropout",
            "is between layers, of which there is one; set layers to 2 or more, or leave dropout out");
    }
}
