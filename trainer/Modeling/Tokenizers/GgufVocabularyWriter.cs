using System.Text.Json;

namespace Graft.Modeling.Tokenizers;

/// <summary>
/// A model folder's tokenizer and chat template as GGUF metadata (<c>tokenizer.ggml.*</c>). Byte-level BPE only; pre-tokenizers by
/// llama.cpp's names for them, because a GGUF file has no other way to say how a text is cut.
/// </summary>
internal static class GgufVocabularyWriter
{
    private const int Normal = 1, Control = 3, UserDefined = 4, Unused = 5;

    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Tail = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Patterns that cut one after another, and whether whole tokens need no merges.</summary>
    private static readonly (string Name, string[] Patterns, bool IgnoreMerges)[] Names =
    [
        ("gpt-2", [Gpt2], false),
        ("smollm", [@"\p{N}", Gpt2], false),
        ("llama-bpe", [Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + Tail], true),
        ("dbrx", [Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + Tail], false),
        ("qwen2", [Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + Tail], false),
    ];

    /// <param name="vocabularySize">Rows of the embedding: ids without a token are filled up to there.</param>
    /// <exception cref="ModelFormatException">The tokenizer is of a kind that GGUF, or this, cannot say.</exception>
    public static List<(string Key, object Value)> Metadata(string folder, int vocabularySize, ModelConfig config)
    {
        var path = Path.Combine(folder, TokenizerFiles.Tokenizer);
        if (!File.Exists(path)) throw new ModelFormatException(folder, $"holds no {TokenizerFiles.Tokenizer}");
        using var json = ModelConfigReader.Parse(path);
        try
        {
            return [.. Tokenizer(path, json.RootElement, vocabularySize), .. Special(folder, json.RootElement, config)];
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ModelFormatException(path, $"is no tokenizer: {e.Message}", e);
        }
    }

    private static IEnumerable<(string, object)> Tokenizer(string path, JsonElement root, int vocabularySize)
    {
        ModelFormatException Bad(string problem) => new(path, problem);
        var model = root.GetProperty("model");
        var patterns = new List<string>();
        var byteLevel = Cut(Get(root, "pre_tokenizer"), patterns, Bad);
        if ((Get(model, "type")?.GetString() ?? "BPE") != "BPE" || !byteLevel)
            throw Bad("only byte-level BPE tokenizers can be written to GGUF");
        if (Get(root, "normalizer") is not null) throw Bad("its normalizer has no place in GGUF");
        var ignoreMerges = Get(model, "ignore_merges") is { } flag && flag.GetBoolean();
        var name = Names.FirstOrDefault(n => n.Patterns.SequenceEqual(patterns) && n.IgnoreMerges == ignoreMerges).Name
            ?? throw Bad("its pre-tokenizer is none that llama.cpp has a name for; known here: " + string.Join(", ", Names.Select(n => n.Name)));

        var tokens = Enumerable.Range(0, vocabularySize).Select(i => $"[PAD{i}]").ToArray();
        var types = Enumerable.Repeat(Unused, vocabularySize).ToArray();
        void Put(JsonElement id, string token, int type)
        {
            var at = id.GetInt32();
            if (at < 0 || at >= vocabularySize)
                throw Bad($"its token '{token}' has the id {at}, but the model's embedding only {vocabularySize} rows");
            (tokens[at], types[at]) = (token, type);
        }
        foreach (var token in model.GetProperty("vocab").EnumerateObject()) Put(token.Value, token.Name, Normal);
        if (Get(root, "added_tokens") is { } added)
            foreach (var token in added.EnumerateArray())
                Put(token.GetProperty("id"), token.GetProperty("content").GetString()!, token.GetProperty("special").GetBoolean() ? Control
                    : UserDefined);
        var merges = model.GetProperty("merges").EnumerateArray()
            .Select(m => m.ValueKind == JsonValueKind.Array ? $"{m[0].GetString()} {m[1].GetString()}" : m.GetString()!).ToArray();
        yield return ("tokenizer.ggml.model", "gpt2");
        yield return ("tokenizer.ggml.pre", name);
        yield return ("tokenizer.ggml.tokens", tokens);
        yield return ("tokenizer.ggml.token_type", types);
        yield return ("tokenizer.ggml.merges", merges);
    }

    /// <summary>Gathers the patterns of a pre-tokenizer; true when it ends in bytes.</summary>
    private static bool Cut(JsonElement? pre, List<string> patterns, Func<string, ModelFormatException> bad)
    {
        if (pre is not { } part) return false;
        switch (part.GetProperty("type").GetString())
        {
            case "Sequence":
                var any = false;
                foreach (var inner in part.GetProperty("pretokenizers").EnumerateArray()) any |= Cut(inner, patterns, bad);
                return any;
            case "ByteLevel":
                if (Get(part, "add_prefix_space") is { } prefix
                    && prefix.GetBoolean()) throw bad("its pre-tokenizer 'ByteLevel' adds a blank, which has no place in GGUF");
                if (Get(part, "use_regex") is not { } regex || regex.GetBoolean()) patterns.Add(Gpt2);
                return true;
            case "Digits" when Get(part, "individual_digits") is { } single && single.GetBoolean():
                patterns.Add(@"\p{N}");
                return false;
            case "Split" when part.GetProperty("behavior").GetString() == "Isolated"
                && Get(part.GetProperty("pattern"), "Regex") is { } pattern:
                patterns.Add(pattern.GetString()!);
                return false;
            case var other:
                throw bad($"its pre-tokenizer '{other}' has no place in GGUF");
        }
    }

    private static IEnumerable<(string, object)> Special(string folder, JsonElement root, ModelConfig config)
    {
        var tokenizer = TokenizerFiles.Read(folder, config);
        if (tokenizer.BosId is { } bos) yield return ("tokenizer.ggml.bos_token_id", (uint)bos);
        if (tokenizer.EosId is { } eos) yield return ("tokenizer.ggml.eos_token_id", (uint)eos);
        if (tokenizer.PadId is { } pad) yield return ("tokenizer.ggml.padding_token_id", (uint)pad);
        // What is put around every text shows on an empty one.
        var around = tokenizer.Encode("", addSpecialTokens: true);
        if (around.Any(id => id != tokenizer.BosId && id != tokenizer.EosId) || around.Count > 2)
            throw new ModelFormatException(Path.Combine(folder, TokenizerFiles.Tokenizer),
                "its post-processor adds other tokens than BOS and EOS, which has no place in GGUF");
        var adds = Get(root, "post_processor") is null ? [] : around;
        yield return ("tokenizer.ggml.add_bos_token", adds.Count > 0 && adds[0] == tokenizer.BosId);
        yield return ("tokenizer.ggml.add_eos_token", adds.Count > 0 && adds[^1] == tokenizer.EosId
            && (adds.Count > 1 || tokenizer.EosId != tokenizer.BosId));
        if (TokenizerFiles.ReadChatTemplate(folder) is { } template) yield return ("tokenizer.chat_template", template.Source);
    }

    private static JsonElement? Get(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
