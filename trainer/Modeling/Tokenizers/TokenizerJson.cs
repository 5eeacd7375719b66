using System.Text.Json;

namespace Graft.Modeling.Tokenizers;

/// <summary>Reads <c>tokenizer.json</c> of Hugging Face's tokenizers, as far as byte-level BPE goes; anything else is refused by name.</summary>
internal sealed class TokenizerJson
{
    private const int MaxId = 1 << 24;
    private readonly string path;
    private readonly JsonElement root;

    private TokenizerJson(string path, JsonElement root) => (this.path, this.root) = (path, root);

    /// <exception cref="ModelFormatException">It cannot be read, or uses what is not supported.</exception>
    public static BpeDefinition Read(string path)
    {
        using var json = ModelConfigReader.Parse(path);
        try
        {
            return new TokenizerJson(path, json.RootElement).Read();
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new ModelFormatException(path, $"is no tokenizer.json as it should be: {e.Message}", e);
        }
    }

    private ModelFormatException Bad(string problem) => new(path, problem);

    private BpeDefinition Read()
    {
        if (Get(root, "normalizer") is { } normalizer) throw Bad($"its normalizer '{TypeOf(normalizer)}' is not supported");
        var model = Get(root, "model") ?? throw Bad("has no model");
        if (TypeOf(model) is var kind and not "BPE") throw Bad($"its model is '{kind}'; supported: BPE (byte-level)");
        RefuseModelOptions(model);
        if (Get(root, "decoder") is not { } decoder || TypeOf(decoder) != "ByteLevel")
            throw Bad("its decoder is not 'ByteLevel'; of BPE tokenizers only byte-level ones are supported");
        var (preTokenizers, prefixSpace) = ReadPreTokenizers();
        var added = ReadAdded();
        var (prefix, suffix) = ReadPostProcessor(Get(root, "post_processor"));
        return new BpeDefinition
        {
            Vocabulary = ReadVocabulary(model.GetProperty("vocab")),
            Merges = ReadMerges(model.GetProperty("merges")),
            Added = added,
            PreTokenizers = preTokenizers,
            AddPrefixSpace = prefixSpace,
            IgnoreMerges = Flag(model, "ignore_merges"),
            Prefix = prefix,
            Suffix = suffix,
        };
    }

    private void RefuseModelOptions(JsonElement model)
    {
        foreach (var name in new[] { "fuse_unk", "byte_fallback" })
            if (Flag(model, name)) throw Bad($"its model has {name}, which byte-level BPE has no use for");
        foreach (var name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
            if (Get(model, name)?.GetString() is { Length: > 0 } text) throw Bad($"its model's {name} '{text}' is not supported");
        if (Get(model, "dropout") is { } dropout && dropout.GetDouble() != 0) throw Bad("its model's dropout is not supported");
    }

    private (List<PreTokenizer>, bool) ReadPreTokenizers()
    {
        var found = new List<PreTokenizer>();
        var prefixSpace = false;
        var byteLevel = false;
        void Add(JsonElement pre)
        {
            switch (TypeOf(pre))
            {
                case "Sequence":
                    foreach (var part in pre.GetProperty("pretokenizers").EnumerateArray()) Add(part);
                    break;
                case "ByteLevel":
                    byteLevel = true;
                    prefixSpace |= Flag(pre, "add_prefix_space");
                    if (Get(pre, "use_regex") is not { } regex || regex.GetBoolean()) found.Add(PreTokenizer.Gpt2);
                    break;
                case "Digits":
                    found.Add(Flag(pre, "individual_digits") ? PreTokenizer.Digits : PreTokenizer.Numbers);
                    break;
                case "Split":
                    found.Add(ReadSplit(pre));
                    break;
                case var other:
                    throw Bad($"its pre-tokenizer '{other}' is not supported");
            }
        }
        if (Get(root, "pre_tokenizer") is { } first) Add(first);
        if (!byteLevel) throw Bad("its pre-tokenizer is not 'ByteLevel'; of BPE tokenizers only byte-level ones are supported");
        if (prefixSpace && found.Count > 1) throw Bad("its pre-tokenizer 'ByteLevel' adds a blank before each of several pieces, which is not supported");
        return (found, prefixSpace);
    }

    private PreTokenizer ReadSplit(JsonElement split)
    {
        var pattern = split.GetProperty("pattern");
        var source = Get(pattern, "Regex")?.GetString() ?? System.Text.RegularExpressions.Regex.Escape(pattern.GetProperty("String").GetString()!);
        if (!Enum.TryParse<SplitBehavior>(split.GetProperty("behavior").GetString(), out var behavior))
            throw Bad($"the behavior '{split.GetProperty("behavior").GetString()}' of its pre-tokenizer 'Split' is not supported");
        try
        {
            return PreTokenizer.Split(source, behavior, Flag(split, "invert"));
        }
        catch (ArgumentException e)
        {
            throw Bad($"the pattern of its pre-tokenizer 'Split' cannot be read: {e.Message}");
        }
    }

    private List<AddedToken> ReadAdded()
    {
        var added = new List<AddedToken>();
        if (Get(root, "added_tokens") is not { } tokens) return added;
        foreach (var token in tokens.EnumerateArray())
        {
            added.Add(new AddedToken(
                CheckId(token.GetProperty("id").GetInt64(), "added token"), token.GetProperty("content").GetString()!, Flag(token, "special"),
                Flag(token, "single_word"), Flag(token, "lstrip"), Flag(token, "rstrip"), Flag(token, "normalized")));
        }
        return added;
    }

    private List<string?> ReadVocabulary(JsonElement vocabulary)
    {
        var tokens = new List<string?>();
        foreach (var entry in vocabulary.EnumerateObject())
        {
            var id = CheckId(entry.Value.GetInt64(), $"token '{entry.Name}'");
            while (tokens.Count <= id) tokens.Add(null);
            if (tokens[id] is { } other) throw Bad($"its tokens '{other}' and '{entry.Name}' have the same id {id}");
            tokens[id] = entry.Name;
        }
        return tokens;
    }

    private List<(string, string)> ReadMerges(JsonElement merges)
    {
        var pairs = new List<(string, string)>();
        foreach (var merge in merges.EnumerateArray())
        {
            (string, string)? pair = merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
                ? (merge[0].GetString()!, merge[1].GetString()!)
                : merge.ValueKind == JsonValueKind.String ? GgufTokenizer.SplitMerge(merge.GetString()!) : null;
            pairs.Add(pair ?? throw Bad($"its merge {pairs.Count} is no pair"));
        }
        return pairs;
    }

    /// <summary>Ids that are put around a single text.</summary>
    private (List<int> Prefix, List<int> Suffix) ReadPostProcessor(JsonElement? processor)
    {
        var (prefix, suffix) = (new List<int>(), new List<int>());
        if (processor is not { } found) return (prefix, suffix);
        switch (TypeOf(found))
        {
            case "ByteLevel":
                break;
            case "Sequence":
                foreach (var part in found.GetProperty("processors").EnumerateArray())
                {
                    var (before, after) = ReadPostProcessor(part);
                    prefix.InsertRange(0, before);
                    suffix.AddRange(after);
                }
                break;
            case "TemplateProcessing":
                var target = prefix;
                foreach (var item in found.GetProperty("single").EnumerateArray())
                {
                    if (Get(item, "Sequence") is not null) target = suffix;
                    else if (Get(item, "SpecialToken") is { } token)
                        target.AddRange(found.GetProperty("special_tokens").GetProperty(token.GetProperty("id").GetString()!).GetProperty("ids")
                            .EnumerateArray().Select(i => CheckId(i.GetInt64(), "special token")));
                }
                break;
            case var other:
                throw Bad($"its post-processor '{other}' is not supported");
        }
        return (prefix, suffix);
    }

    private int CheckId(long id, string what) =>
        id is >= 0 and < MaxId ? (int)id : throw Bad($"the {what} has the id {id}; ids from 0 to {MaxId - 1} are possible");

    private static JsonElement? Get(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static bool Flag(JsonElement element, string name) => Get(element, name) is { } value && value.GetBoolean();

    private static string TypeOf(JsonElement element) => Get(element, "type")?.GetString() ?? (Get(element, "vocab") is null ? "?" : "BPE");
}
