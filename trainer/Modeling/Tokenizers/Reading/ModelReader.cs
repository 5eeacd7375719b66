using System.Text.Json;
using Graft.Modeling.Tokenizers.Models;

namespace Graft.Modeling.Tokenizers.Reading;

internal static class ModelReader
{
    /// <summary>Published vocabularies have up to 262,208 tokens.</summary>
    public const int MostTokens = 1 << 21;

    /// <summary>A text is compared with tokens from each of its places on.</summary>
    private const int LongestToken = 4096;

    public static TokenModel Read(JsonPart part)
    {
        TokenModel model = Kind(part) switch
        {
            "BPE" => Bpe(part),
            "Unigram" => Unigram(part),
            "WordPiece" => WordPiece(part),
            "WordLevel" => WordLevel(part),
            var kind => throw part.Bad($"the model '{kind}' is not supported; supported: BPE, Unigram, WordPiece, WordLevel"),
        };
        part.RefuseUnknown("cache_capacity");
        return model;
    }

    /// <summary>Old files do not name it; then it is what its fields fit.</summary>
    private static string Kind(JsonPart part) => part.TextOr("type", null)
        ?? (part.Find("merges") is not null ? "BPE" : part.Find("max_input_chars_per_word") is not null ? "WordPiece"
            : part.Find("vocab") is { ValueKind: JsonValueKind.Array } ? "Unigram" : "WordLevel");

    private static BpeModel Bpe(JsonPart part)
    {
        if (part.Find("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            throw part.Bad("dropout", "is not supported: what it encodes differs from time to time");
        var options = new BpeOptions(part.TextOr("unk_token", null), part.TextOr("continuing_subword_prefix", null),
            part.TextOr("end_of_word_suffix", null),
            part.Flag("fuse_unk"), part.Flag("byte_fallback"), part.Flag("ignore_merges"));
        var vocabulary = Vocabulary(part);
        try
        {
            return new BpeModel(vocabulary, Merges(part), options);
        }
        catch (FormatException e)
        {
            throw part.Bad("merges", e.Message);
        }
    }

    private static List<(string Left, string Right)> Merges(JsonPart part)
    {
        var merges = new List<(string, string)>();
        foreach (var merge in part.List("merges"))
        {
            // Each makes a token of its own in a vocabulary that somebody trained.
            if (merges.Count >= MostTokens) throw part.Bad("merges", $"has more than {MostTokens} merges");
            // The heading of a merges.txt that was taken in with its lines.
            if (merge.ValueKind == JsonValueKind.String && merge.GetString()!.StartsWith("#version", StringComparison.Ordinal)) continue;
            (string, string)? pair = merge.ValueKind switch
            {
                JsonValueKind.Array when merge.GetArrayLength() == 2 && merge[0].ValueKind == JsonValueKind.String
                    && merge[1].ValueKind == JsonValueKind.String
                    => (merge[0].GetString()!, merge[1].GetString()!),
                JsonValueKind.String when merge.GetString()!.Split(' ') is [var left, var right] => (left, right),
                _ => null,
            };
            merges.Add(pair ?? throw part.Bad("merges", $"its merge {merges.Count} is no pair"));
        }
        return merges;
    }

    private static UnigramModel Unigram(JsonPart part)
    {
        var tokens = new List<string?>();
        var scores = new List<double>();
        foreach (var entry in part.List("vocab"))
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String
                || entry[1].ValueKind != JsonValueKind.Number)
                throw part.Bad("vocab", $"its entry {tokens.Count} is no token with its score");
            tokens.Add(entry[0].GetString());
            scores.Add(entry[1].GetDouble());
        }
        RefuseLong(part, tokens);
        if (tokens.Count > MostTokens) throw part.Bad("vocab", $"has {tokens.Count} tokens; at most {MostTokens} are allowed");
        var unknown = part.Number("unk_id");
        if (unknown is { } id && (uint)id >= (uint)tokens.Count) throw part.Bad("unk_id", $"is {id}, but there are {tokens.Count} tokens");
        return new UnigramModel(new Vocabulary([.. tokens]), [.. scores], unknown, part.Flag("byte_fallback"));
    }

    private static WordPieceModel WordPiece(JsonPart part)
    {
        var vocabulary = Vocabulary(part);
        RefuseLong(part, vocabulary.Tokens);
        var token = part.TextOr("unk_token", "[UNK]")!;
        var unknown = vocabulary.IdOf(token) ?? throw part.Bad("unk_token", $"is '{token}', which the vocabulary lacks");
        var longest = part.Number("max_input_chars_per_word") ?? 100;
        return new WordPieceModel(vocabulary, unknown, part.TextOr("continuing_subword_prefix", "##")!, longest);
    }

    private static void RefuseLong(JsonPart part, IEnumerable<string?> tokens)
    {
        if (tokens.FirstOrDefault(t => t?.Length > LongestToken) is { } token)
            throw part.Bad("vocab", $"has a token of {token.Length} characters; at most {LongestToken} are allowed");
    }

    private static WordLevelModel WordLevel(JsonPart part)
    {
        var vocabulary = Vocabulary(part);
        return new WordLevelModel(vocabulary, part.TextOr("unk_token", "<unk>") is { } token ? vocabulary.IdOf(token) : null);
    }

    private static Vocabulary Vocabulary(JsonPart part)
    {
        if (part.Find("vocab") is not { ValueKind: JsonValueKind.Object } vocab) throw part.Bad("vocab",
            "is no object of tokens and their ids");
        var tokens = new List<string?>();
        foreach (var entry in vocab.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id is < 0 or >= MostTokens)
                throw part.Bad("vocab",
                    $"the token '{entry.Name}' has the id {entry.Value.GetRawText()}; ids from 0 to {MostTokens - 1} are possible");
            while (tokens.Count <= id) tokens.Add(null);
            if (tokens[id] is { } other && other != entry.Name) throw part.Bad("vocab",
                $"the tokens '{other}' and '{entry.Name}' have the same id {id}");
            tokens[id] = entry.Name;
        }
        return new Vocabulary([.. tokens]);
    }
}
