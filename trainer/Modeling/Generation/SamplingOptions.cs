namespace Graft.Modeling;

/// <param name="Temperature">0: always the most likely token.</param>
/// <param name="TopP">Only the most likely tokens that together have this probability; 1: all.</param>
/// <param name="TopK">Only so many of the most likely tokens; 0: all.</param>
/// <param name="MinP">Only tokens that are at least so many times as likely as the most likely one; 0: all.</param>
/// <param name="RepetitionPenalty">
/// Logits of tokens that prompt or answer hold already are divided by it where positive and multiplied by it where negative; 1: none.
/// </param>
/// <param name="Stop">Generation ends before the first of these strings; they are not part of the text.</param>
/// <param name="IgnoreEndOfGeneration">Goes on after the model's end-of-text tokens.</param>
/// <param name="TopLogProbs">Report the log probability of each token and of so many of the most likely ones; null: none.</param>
public sealed record SamplingOptions(
    int MaxTokens = 256,
    double Temperature = 0,
    double TopP = 1,
    int TopK = 0,
    long Seed = 0,
    IReadOnlyList<string>? Stop = null,
    IReadOnlyList<int>? StopIds = null,
    bool IgnoreEndOfGeneration = false,
    int? TopLogProbs = null,
    double MinP = 0,
    double RepetitionPenalty = 1);

public enum FinishReason
{
    /// <summary>The model ended its answer, or a stop string came.</summary>
    Stop,

    /// <summary>MaxTokens were generated, or the model's longest sequence is reached.</summary>
    Length,
}

/// <param name="LogProb">Natural logarithm of the token's probability under the model, before temperature and truncation.</param>
public sealed record TokenLogProb(int Id, double LogProb, IReadOnlyList<(int Id, double LogProb)> Top);

/// <param name="Ids">Generated tokens, the one that ended the answer included.</param>
/// <param name="Text">What they say, without special tokens and stop strings.</param>
public sealed record GenerationResult(
    IReadOnlyList<int> Ids, string Text, FinishReason Finish, int PromptTokens, IReadOnlyList<TokenLogProb>? LogProbs = null);
