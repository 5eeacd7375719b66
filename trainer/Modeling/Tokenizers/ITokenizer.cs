namespace Graft.Modeling;

/// <summary>Text to token ids and back. Immutable, and safe to use from several threads.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id, which may be more than the rows of the model's embedding: added tokens can lie beyond.</summary>
    int VocabularySize { get; }

    int? BosId { get; }
    int? EosId { get; }
    int? PadId { get; }

    /// <summary>Ids after which generation stops.</summary>
    IReadOnlySet<int> EndOfGenerationIds { get; }

    /// <summary>
    /// Whether a text is the bytes of its tokens one after another. Otherwise what a token becomes depends on those beside it, and <see
    /// cref="BytesOf"/> says what it is in the middle of a text.
    /// </summary>
    bool JoinsBytes => true;

    /// <summary>
    /// Special tokens written in <paramref name="text"/> (<c>&lt;|im_end|&gt;</c>) become their ids, as chat templates need it. Lone
    /// surrogates count as U+FFFD.
    /// </summary>
    /// <param name="addSpecialTokens">Also adds what the tokenizer puts around every text (BOS, EOS), if anything.</param>
    IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false);

    /// <summary>The same with where each token lies in the text, and for a pair of texts.</summary>
    /// <param name="pair">A second text, for models that compare two.</param>
    TextEncoding EncodeDetailed(string text, string? pair = null, bool addSpecialTokens = false);

    /// <summary>Bytes that are no valid UTF-8 become U+FFFD. Unknown ids are left out.</summary>
    string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true);

    /// <summary>The id of a token by its exact text, or null.</summary>
    int? IdOf(string token);

    /// <summary>The bytes that a token stands for; none for special tokens when they are skipped, and for unknown ids.</summary>
    ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true);
}
