namespace Graft.Modeling;

/// <summary>A text, or a pair of texts, as tokens. All lists have one entry a token.</summary>
/// <param name="Tokens">Texts of the tokens; of an added token what it took of the text, of an unknown one (Unigram) what it stands
/// for.</param>
/// <param name="Offsets">From, and up to but without, in Unicode code points of the text that the token is of; (0, 0) for tokens put
/// in.</param>
/// <param name="TypeIds">Which of the two texts, as the model is told.</param>
/// <param name="SpecialTokensMask">1 for tokens put in around the texts (and for padding), 0 for those of the texts.</param>
/// <param name="AttentionMask">0 for padding only.</param>
public sealed record TextEncoding(
    IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, IReadOnlyList<(int Start, int End)> Offsets, IReadOnlyList<int> TypeIds,
    IReadOnlyList<int> SpecialTokensMask, IReadOnlyList<int> AttentionMask);
