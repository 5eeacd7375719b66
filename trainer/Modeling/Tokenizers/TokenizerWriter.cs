using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Modeling.Tokenizers;

/// <summary>Writes a byte-level BPE tokenizer as Hugging Face's files, for models that came with theirs in another form.</summary>
internal static class TokenizerWriter
{
    private static readonly JsonSerializerOptions Options =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(BpeDefinition definition, string? chatTemplate, string folder)
    {
        File.WriteAllText(Path.Combine(folder, TokenizerFiles.Tokenizer), Tokenizer(definition).ToJsonString(Options));
        var config = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        string? Token(int? id) => id is not { } i ? null
            : definition.Added.FirstOrDefault(a => a.Id == i)?.Content ?? (i < definition.Vocabulary.Count ? definition.Vocabulary[i] : null);
        foreach (var (name, id) in new[] { ("bos_token", definition.BosId), ("eos_token", definition.EosId), ("pad_token", definition.PadId) })
            if (Token(id) is { } token) config[name] = token;
        File.WriteAllText(Path.Combine(folder, TokenizerFiles.Config), config.ToJsonString(Options));
        if (chatTemplate is not null) File.WriteAllText(Path.Combine(folder, TokenizerFiles.Template), chatTemplate);
    }

    private static JsonObject Tokenizer(BpeDefinition d) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray([.. d.Added.Select(a => new JsonObject
        {
            ["id"] = a.Id, ["content"] = a.Content, ["single_word"] = a.SingleWord, ["lstrip"] = a.LeftStrip, ["rstrip"] = a.RightStrip,
            ["normalized"] = a.Normalized, ["special"] = a.Special,
        })]),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray([.. d.PreTokenizers.Select(Split), ByteLevel(d.AddPrefixSpace)]),
        },
        ["post_processor"] = PostProcessor(d),
        ["decoder"] = ByteLevel(false),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
            ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = d.IgnoreMerges,
            ["vocab"] = new JsonObject(d.Vocabulary.Select((t, i) => (t, i)).Where(t => t.t is not null).Select(t => KeyValuePair.Create(t.t!, (JsonNode?)t.i))),
            ["merges"] = new JsonArray([.. d.Merges.Select(m => new JsonArray(m.Left, m.Right))]),
        },
    };

    private static JsonObject Split(PreTokenizer pre) => new()
    {
        ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pre.Source }, ["behavior"] = $"{pre.Behavior}", ["invert"] = pre.Invert,
    };

    private static JsonObject ByteLevel(bool prefixSpace) => new()
    {
        ["type"] = "ByteLevel", ["add_prefix_space"] = prefixSpace, ["trim_offsets"] = true, ["use_regex"] = false,
    };

    private static JsonObject? PostProcessor(BpeDefinition d)
    {
        if (d.Prefix.Count + d.Suffix.Count == 0) return null;
        string Name(int id) => d.Added.FirstOrDefault(a => a.Id == id)?.Content ?? d.Vocabulary[id]!;
        JsonNode Special(int id) => new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = Name(id), ["type_id"] = 0 } };
        var text = new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } };
        var ids = d.Prefix.Concat(d.Suffix).Distinct();
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. d.Prefix.Select(Special), text, .. d.Suffix.Select(Special)]),
            ["pair"] = new JsonArray(new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } },
                new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "B", ["type_id"] = 1 } }),
            ["special_tokens"] = new JsonObject(ids.Select(id => KeyValuePair.Create(Name(id), (JsonNode?)new JsonObject
            {
                ["id"] = Name(id), ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(Name(id)),
            }))),
        };
    }
}
