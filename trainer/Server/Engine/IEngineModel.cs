using Graft.Modeling;

namespace Graft.Server.Engine;

/// <summary>
/// What the engine needs of a model. Every call comes from the engine's one thread; <see cref="Facts"/> alone is read by others.
/// </summary>
internal interface IEngineModel : IDisposable
{
    ModelFacts Facts { get; }

    /// <summary>Weights of an adapter, to be named in <see cref="Start"/>.</summary>
    /// <param name="root">The folder that the adapter's files may not leave by links.</param>
    /// <exception cref="ModelFormatException">The folder's files are broken or do not fit the base.</exception>
    IDisposable LoadAdapter(string name, string folder, string root);

    /// <summary>An answer about to be written, with room for its keys and values.</summary>
    /// <param name="adapter">From <see cref="LoadAdapter"/>; null for the base.</param>
    IDisposable Start(IReadOnlyList<int> prompt, SamplingOptions options, IDisposable? adapter);

    /// <summary>
    /// The next token of each answer, all computed as one batch, in the order of <paramref name="answers"/>; null for an answer whose
    /// prompt is not taken in yet.
    /// </summary>
    /// <param name="promptTokens">Prompt tokens to take in at most, shared fairly among the answers.</param>
    IReadOnlyList<Piece?> Step(IReadOnlyList<IDisposable> answers, int promptTokens);
}

/// <summary>What request threads may know of a loaded model.</summary>
/// <param name="Digest">Of the weight files: what an adapter's manifest must name as its base.</param>
/// <param name="MaxLength">Prompt and completion together, in tokens.</param>
/// <param name="VocabularySize">Ids that the model knows, of which its tokenizer may have more.</param>
internal sealed record ModelFacts(
    ITokenizer Tokenizer, ChatTemplate? ChatTemplate, string Digest, int MaxLength, int VocabularySize);

/// <summary>One token of an answer.</summary>
/// <param name="Text">What became certain with it: nothing while a character or a stop string may still be completed.</param>
/// <param name="Finish">Set with the answer's last token.</param>
internal sealed record Piece(int Token, string Text, FinishReason? Finish = null, TokenLogProb? LogProb = null);
