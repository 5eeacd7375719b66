namespace Graft.Modeling.Tokenizers;

/// <summary>Reads the tokenizer that a GGUF file carries in its metadata.</summary>
internal static class GgufTokenizer
{
    private const int Control = 3, UserDefined = 4;

    /// <summary>Pre-tokenizers by llama.cpp's names for them.</summary>
    private static readonly Dictionary<string, PreTokenizer[]> PreTokenizers = new(StringComparer.Ordinal)
    {
        ["smollm"] = [PreTokenizer.Digits, PreTokenizer.Gpt2],
        ["gpt-2"] = [PreTokenizer.Gpt2],
        ["default"] = [PreTokenizer.Gpt2],
    };

    /// <exception cref="ModelFormatException">It is missing, of a kind that is not supported, or does not fit the model.</exception>
    public static ByteLevelBpe Read(GgufFile file, ModelConfig config)
    {
        ModelFormatException Bad(string problem) => new(file.Path, problem);
        var model = file.Text("tokenizer.ggml.model") ?? throw Bad("carries no tokenizer ('tokenizer.ggml.model' is missing)");
        if (model != "gpt2") throw Bad($"its tokenizer is of the kind '{model}'; supported: gpt2 (byte-level BPE)");
        var pre = file.Text("tokenizer.ggml.pre") ?? "default";
        if (!PreTokenizers.TryGetValue(pre, out var preTokenizers))
            throw Bad($"its pre-tokenizer is '{pre}'; supported: {string.Join(", ", PreTokenizers.Keys)}");
        var tokens = file.Texts("tokenizer.ggml.tokens") ?? throw Bad("lacks the vocabulary 'tokenizer.ggml.tokens'");
        var merges = file.Texts("tokenizer.ggml.merges") ?? throw Bad("lacks the merges 'tokenizer.ggml.merges'");
        if (tokens.Length > config.VocabularySize)
            throw Bad($"its tokenizer has {tokens.Length} tokens, but its embedding only {config.VocabularySize} rows");
        var types = file.Numbers("tokenizer.ggml.token_type") ?? new int[tokens.Length];
        if (types.Length != tokens.Length) throw Bad($"has {tokens.Length} tokens, but {types.Length} token types");
        var added = tokens.Select((t, i) => (Token: t, Id: i, Type: types[i])).Where(t => t.Type is Control or UserDefined)
            .Select(t => new AddedToken(t.Id, t.Token, Special: t.Type == Control)).ToList();
        int? Id(string key) => file.Number(key) is not { } id ? null
            : id >= 0 && id < tokens.Length ? id : throw Bad($"'{key}' is {id}, but there are {tokens.Length} tokens");
        var (bos, eos) = (Id("tokenizer.ggml.bos_token_id"), Id("tokenizer.ggml.eos_token_id"));
        return new ByteLevelBpe(
            new BpeDefinition
            {
                Vocabulary = tokens,
                Merges = [.. merges.Select((m, i) => SplitMerge(m) ?? throw Bad($"its merge {i} ('{m}') is no pair"))],
                Added = added,
                PreTokenizers = preTokenizers,
                AddPrefixSpace = file.Flag("tokenizer.ggml.add_space_prefix") ?? false,
                Prefix = file.Flag("tokenizer.ggml.add_bos_token") == true && bos is { } first ? [first] : [],
                Suffix = file.Flag("tokenizer.ggml.add_eos_token") == true && eos is { } last ? [last] : [],
                BosId = bos,
                EosId = eos,
                PadId = Id("tokenizer.ggml.padding_token_id"),
                EndOfGenerationIds = EndOfGeneration.Ids(
                    new[] { eos, Id("tokenizer.ggml.eot_token_id"), Id("tokenizer.ggml.eom_token_id") }.OfType<int>(), added),
            },
            file.Path);
    }

    public static ChatTemplate? ReadChatTemplate(GgufFile file)
    {
        if (file.Text("tokenizer.chat_template") is not { } source) return null;
        var tokens = file.Texts("tokenizer.ggml.tokens") ?? [];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, key) in new[] { ("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"), ("unk_token", "unknown") })
            if (file.Number($"tokenizer.ggml.{key}_token_id") is { } id && id >= 0 && id < tokens.Length) variables[name] = tokens[id];
        return ChatTemplates.Parse(file.Path, source, variables);
    }

    /// <summary>Two tokens with a blank between; a blank within a token is written otherwise in the byte alphabet.</summary>
    internal static (string, string)? SplitMerge(string merge)
    {
        var blank = merge.IndexOf(' ', merge.StartsWith(' ') ? 1 : 0);
        return blank <= 0 || blank == merge.Length - 1 ? null : (merge[..blank], merge[(blank + 1)..]);
    }
}
