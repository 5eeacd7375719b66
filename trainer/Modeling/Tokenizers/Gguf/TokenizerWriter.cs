using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>Writes a GGUF file's tokenizer as Hugging Face's files.</summary>
internal static class TokenizerWriter
{
    private static readonly JsonSerializerOptions Options =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ModelFormatException">The file's tokenizer cannot be read.</exception>
    public static void Write(GgufFile file, string folder)
    {
        var v = GgufVocabularyReader.Read(file);
        File.WriteAllText(Path.Combine(folder, TokenizerFiles.Tokenizer), Tokenizer(v).ToJsonString(Options));
        var config = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        foreach (var (name, id) in new[] { ("bos_token", v.BosId), ("eos_token", v.EosId), ("pad_token", v.PadId) })
            if (id is { } i) config[name] = v.Tokens[i];
        File.WriteAllText(Path.Combine(folder, TokenizerFiles.Config), config.ToJsonString(Options));
        if (file.Text("tokenizer.chat_template") is { } template) File.WriteAllText(Path.Combine(folder, TokenizerFiles.Template),
            template);
    }

    private static JsonObject Tokenizer(GgufVocabulary v) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray([.. v.Added.Select(a => new JsonObject
        {
            ["id"] = a.Id, ["content"] = a.Content, ["single_word"] = a.SingleWord, ["lstrip"] = a.LeftStrip, ["rstrip"] = a.RightStrip,
            ["normalized"] = a.Normalized, ["special"] = a.Special,
        })]),
        ["normalizer"] = v.BySentencePiece ? SentencePieceNormalizer(v) : v.PrefixSpace ? Replace(@"\A(?! )", "Regex", " ") : null,
        ["pre_tokenizer"] = v.BySentencePiece ? null : Sequence("pretokenizers", [.. v.Patterns.Select(Split), ByteLevel()]),
        ["post_processor"] = PostProcessor(v),
        ["decoder"] = v.BySentencePiece ? SentencePieceDecoder(v) : ByteLevel(),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = v.UnknownToken, ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
            ["fuse_unk"] = v.BySentencePiece, ["byte_fallback"] = v.BySentencePiece, ["ignore_merges"] = v.IgnoreMerges,
            ["vocab"] = new JsonObject(v.Tokens.Select((t, i) => KeyValuePair.Create(t, (JsonNode?)i)).DistinctBy(t => t.Key)),
            ["merges"] = new JsonArray([.. v.Merges.Select(m => new JsonArray(m.Left, m.Right))]),
        },
    };

    private static JsonObject Sequence(string name, IEnumerable<JsonNode> parts) =>
        new() { ["type"] = "Sequence", [name] = new JsonArray([.. parts]) };

    private static JsonObject Replace(string pattern, string kind, string content) =>
        new() { ["type"] = "Replace", ["pattern"] = new JsonObject { [kind] = pattern }, ["content"] = content };

    private static JsonObject SentencePieceNormalizer(GgufVocabulary v)
    {
        var replace = Replace(" ", "String", GgufTokenizer.Sign);
        return v.PrefixSpace
            ? Sequence("normalizers", [new JsonObject { ["type"] = "Prepend", ["prepend"] = GgufTokenizer.Sign }, replace]) : replace;
    }

    private static JsonObject SentencePieceDecoder(GgufVocabulary v)
    {
        var parts = new List<JsonNode>
        {
            Replace(GgufTokenizer.Sign, "String", " "), new JsonObject { ["type"] = "ByteFallback" }, new JsonObject { ["type"] = "Fuse" },
        };
        if (v.PrefixSpace) parts.Add(new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return Sequence("decoders", parts);
    }

    private static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false,
    };

    private static JsonObject ByteLevel() => new()
    {
        ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false,
    };

    private static JsonObject? PostProcessor(GgufVocabulary v)
    {
        if (v.Prefix.Count + v.Suffix.Count == 0) return null;
        JsonNode Special(int id, int type) =>
            new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = v.Tokens[id], ["type_id"] = type } };
        IEnumerable<JsonNode> One(string text, int type) =>
        [
            .. v.Prefix.Select(id => Special(id, type)),
                new JsonObject { ["Sequence"] = new JsonObject { ["id"] = text, ["type_id"] = type } },
            .. v.Suffix.Select(id => Special(id, type)),
        ];
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. One("A", 0)]),
            ["pair"] = new JsonArray([.. One("A", 0), .. One("B", 1)]),
            ["special_tokens"] = new JsonObject(v.Prefix.Concat(v.Suffix).Distinct()
                .Select(id => KeyValuePair.Create(v.Tokens[id], (JsonNode?)new JsonObject
            {
                ["id"] = v.Tokens[id], ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(v.Tokens[id]),
            }))),
        };
    }
}
