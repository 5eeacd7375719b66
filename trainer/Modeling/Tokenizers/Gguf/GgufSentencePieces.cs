using System.Text.Json;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>
/// A tokenizer.json of BPE over characters with byte fallback as llama.cpp's <c>llama</c> vocabulary, which joins whatever makes the
/// token of the highest score, by whichever two it is made of.
/// </summary>
internal static class GgufSentencePieces
{
    /// <summary>Of tokens that are never made.</summary>
    private const float Lowest = -1e9f;
    private const int LongestToken = 1024;

    /// <summary>Whether it is of this kind at all.</summary>
    public static bool Fits(JsonElement root) => root.GetProperty("model").IsTrue("byte_fallback");

    /// <summary>Whether a blank is put before every text.</summary>
    /// <exception cref="FormatException">Something in it has no place in GGUF.</exception>
    public static bool Check(JsonElement root)
    {
        var model = root.GetProperty("model");
        foreach (var option in new[] { "dropout", "continuing_subword_prefix", "end_of_word_suffix" })
            if (model.Find(option) is { } value && !(value.ValueKind == JsonValueKind.String && value.ValueEquals("")))
                throw new FormatException($"its '{option}' has no place in GGUF");
        if (model.IsTrue("ignore_merges")) throw new FormatException("its 'ignore_merges' has no place in GGUF beside byte fallback");
        if (!model.IsTrue("fuse_unk") && Enumerable.Range(0, 256).Any(b => model.GetProperty("vocab").Find($"<0x{b:X2}>") is null))
            throw new FormatException("its vocabulary lacks tokens of bytes, and 'fuse_unk' is false, which has no place in GGUF");
        var prefix = root.Find("normalizer") is { } normalizer && Prefix(normalizer) is { } found ? found
            : throw new FormatException("its normalizer is not the one of SentencePiece (a blank before the text or none; \u2581 for "
                + "blanks), which alone has a place in GGUF");
        // What replaces blanks leaves none to cut at, as in Gemma's files.
        if (root.Find("pre_tokenizer") is { } pre
            && !(pre.Type() == "Split" && pre.GetProperty("pattern").Find("String")?.GetString() == " "))
            throw new FormatException($"its pre-tokenizer '{pre.Type()}' has no place in GGUF beside byte fallback");
        return prefix;
    }

    private static bool? Prefix(JsonElement normalizer)
    {
        static bool IsReplace(JsonElement part) => part.Type() == "Replace"
            && part.GetProperty("content").GetString() == GgufTokenizer.Sign
            && part.GetProperty("pattern").Find("String")?.GetString() == " ";
        static bool IsPrepend(JsonElement part) =>
            part.Type() == "Prepend" && part.GetProperty("prepend").GetString() == GgufTokenizer.Sign;
        var parts = normalizer.Type() == "Sequence" ? normalizer.GetProperty("normalizers").EnumerateArray().ToList() : [normalizer];
        return parts switch
        {
            [var only] when IsReplace(only) => false,
            [var first, var second] when IsPrepend(first) && IsReplace(second) => true,
            _ => null,
        };
    }

    /// <summary>
    /// Scores with which the same tokens come out. BPE has a property that makes this exact: tokens that lie side by side at some moment
    /// lie so too, at that moment, when their text is encoded alone. So whatever a token is once made of, in any text, is what it
    /// is made of when it is encoded alone: of all the pairs that spell it one is ever joined, and the rank of that merge decides. A
    /// token whose text alone ends as two others is the exception: the merges leave those apart, scores would join them.
    /// </summary>
    /// <param name="tokens">By id.</param>
    /// <param name="isAdded">Whether a token is cut out of texts before anything is joined, so that no other text holds it.</param>
    /// <param name="merges">The first joined first.</param>
    /// <exception cref="FormatException">A token is such an exception.</exception>
    public static float[] Scores(
        IReadOnlyList<string> tokens, Func<int, bool> isAdded, IReadOnlyList<(string Left, string Right)> merges)
    {
        var ranks = new Dictionary<(string, string), int>(merges.Count);
        for (var i = 0; i < merges.Count; i++) ranks.TryAdd(merges[i], i);
        var known = tokens.ToHashSet(StringComparer.Ordinal);
        // What replaces blanks makes other texts of a token that holds it.
        bool IsCutOut(int id) => isAdded(id) && !tokens[id].Contains(GgufTokenizer.Sign, StringComparison.Ordinal);
        return [.. tokens.Select((t, id) => Score(t, IsCutOut(id), ranks, known))];
    }

    private static float Score(string token, bool cutOut, Dictionary<(string, string), int> ranks, HashSet<string> known)
    {
        if (token.Length > LongestToken)
            throw new FormatException($"its vocabulary has a token of {token.Length} characters; at most {LongestToken} are allowed");
        var parts = token.EnumerateRunes().Select(r => r.ToString()).ToList();
        if (parts.Count < 2 || !parts.All(known.Contains)) return Lowest;
        var last = -1;
        while (parts.Count > 1)
        {
            var (best, at) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < parts.Count; i++)
                if (ranks.TryGetValue((parts[i], parts[i + 1]), out var rank) && rank < best) (best, at) = (rank, i);
            if (at < 0) break;
            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
            last = best;
        }
        return parts.Count switch
        {
            1 => -last,
            2 when !cutOut => throw new FormatException(
                $"its merges leave '{parts[0]}' and '{parts[1]}' apart, though '{token}' is a token; the scores of GGUF would join them"),
            _ => Lowest,
        };
    }
}
