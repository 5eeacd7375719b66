namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>Reads the metadata <c>tokenizer.ggml.*</c> (GGUF specification, llama.cpp).</summary>
internal sealed class GgufVocabularyReader
{
    private const int Unknown = 2, Control = 3, UserDefined = 4;
    private const int LongestToken = 1024;
    private readonly GgufFile file;

    private GgufVocabularyReader(GgufFile file) => this.file = file;

    /// <exception cref="ModelFormatException">It is missing, or of a kind that is not supported.</exception>
    public static GgufVocabulary Read(GgufFile file) => new GgufVocabularyReader(file).Read();

    private ModelFormatException Bad(string problem) => new(file.Path, problem);

    private GgufVocabulary Read()
    {
        var model = file.Text("tokenizer.ggml.model") ?? throw Bad("carries no tokenizer ('tokenizer.ggml.model' is missing)");
        if (model is not ("gpt2" or "llama"))
            throw Bad($"its tokenizer is of the kind '{model}'; supported: gpt2 (byte-level BPE), llama (SentencePiece BPE)");
        var tokens = file.Texts("tokenizer.ggml.tokens") ?? throw Bad("lacks the vocabulary 'tokenizer.ggml.tokens'");
        if (Array.Find(tokens, t => t.Length > LongestToken) is { } longest)
            throw Bad($"its vocabulary has a token of {longest.Length} characters; at most {LongestToken} are allowed");
        var types = file.Numbers("tokenizer.ggml.token_type") ?? new int[tokens.Length];
        if (types.Length != tokens.Length) throw Bad($"has {tokens.Length} tokens, but {types.Length} token types");
        int? Id(string key) => file.Number(key) is not { } id ? null
            : id >= 0 && id < tokens.Length ? id : throw Bad($"'{key}' is {id}, but there are {tokens.Length} tokens");
        var added = tokens.Select((t, i) => (Token: t, Id: i, Type: types[i])).Where(t => t.Type is Unknown or Control or UserDefined)
            .Select(t => new AddedToken(t.Id, t.Token, Special: t.Type != UserDefined)).ToList();
        var (bos, eos) = (Id("tokenizer.ggml.bos_token_id"), Id("tokenizer.ggml.eos_token_id"));
        var common = model == "llama" ? SentencePiece(tokens) : ByteLevel(tokens);
        // Both families of Llama begin texts with BOS where the file says nothing.
        var addBos = file.Flag("tokenizer.ggml.add_bos_token")
            ?? (common.BySentencePiece || file.Text("tokenizer.ggml.pre") is "llama-bpe" or "llama3" or "llama-v3");
        return common with
        {
            Added = added,
            UnknownToken = common.BySentencePiece && Id("tokenizer.ggml.unknown_token_id") is { } unknown ? tokens[unknown] : null,
            Prefix = addBos && bos is { } first ? [first] : [],
            Suffix = file.Flag("tokenizer.ggml.add_eos_token") == true && eos is { } last ? [last] : [],
            BosId = bos,
            EosId = eos,
            PadId = Id("tokenizer.ggml.padding_token_id"),
            EndOfGenerationIds = EndOfGeneration.Ids(
                new[] { eos, Id("tokenizer.ggml.eot_token_id"), Id("tokenizer.ggml.eom_token_id") }.OfType<int>(), added,
                chats: file.Text("tokenizer.chat_template") is not null),
        };
    }

    private GgufVocabulary ByteLevel(string[] tokens)
    {
        var name = file.Text("tokenizer.ggml.pre") ?? "default";
        var (patterns, ignoreMerges) = GgufPreTokenizers.Find(name)
            ?? throw Bad($"its pre-tokenizer ('tokenizer.ggml.pre') is '{name}'; supported: {string.Join(", ", GgufPreTokenizers.Names)}");
        var merges = file.Texts("tokenizer.ggml.merges") ?? throw Bad("lacks the merges 'tokenizer.ggml.merges'");
        return new GgufVocabulary
        {
            BySentencePiece = false,
            Tokens = tokens,
            Merges = [.. merges.Select((m, i) => SplitMerge(m) ?? throw Bad($"its merge {i} ('{m}') is no pair"))],
            Added = [],
            Patterns = patterns,
            IgnoreMerges = ignoreMerges,
            PrefixSpace = file.Flag("tokenizer.ggml.add_space_prefix") ?? false,
        };
    }

    /// <summary>SentencePiece joins what makes the token of the highest score: every way to put a token together is a merge.</summary>
    private GgufVocabulary SentencePiece(string[] tokens)
    {
        var scores = Scores(tokens.Length);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++) ids.TryAdd(tokens[id], id);
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new List<(string Left, string Right)>();
        var ranks = new List<int>();
        var (rank, previous) = (-1, double.NaN);
        foreach (var id in Enumerable.Range(0, tokens.Length).OrderByDescending(i => scores[i]))
        {
            var token = tokens[id];
            if (!scores[id].Equals(previous)) (rank, previous) = (rank + 1, scores[id]);
            for (var i = 1; i < token.Length; i++)
            {
                if (!lookup.TryGetValue(token.AsSpan(0, i), out var left) || !lookup.TryGetValue(token.AsSpan(i), out var right)) continue;
                merges.Add((tokens[left], tokens[right]));
                ranks.Add(rank);
            }
        }
        return new GgufVocabulary
        {
            BySentencePiece = true,
            Tokens = tokens,
            Merges = merges,
            Ranks = ranks,
            Added = [],
            PrefixSpace = file.Flag("tokenizer.ggml.add_space_prefix") ?? true,
        };
    }

    private double[] Scores(int count)
    {
        const string key = "tokenizer.ggml.scores";
        if (file.Metadata.GetValueOrDefault(key) is not Array values) throw Bad($"lacks the scores '{key}'");
        if (values.Length != count) throw Bad($"has {count} tokens, but {values.Length} scores");
        return values switch
        {
            double[] scores when !scores.Any(double.IsNaN) => scores,
            long[] scores => [.. scores.Select(s => (double)s)],
            _ => throw Bad($"'{key}' is no list of numbers"),
        };
    }

    /// <summary>Two tokens with a blank between; a blank within a token is written otherwise in the byte alphabet.</summary>
    private static (string, string)? SplitMerge(string merge)
    {
        var blank = merge.IndexOf(' ', merge.StartsWith(' ') ? 1 : 0);
        return blank <= 0 || blank == merge.Length - 1 ? null : (merge[..blank], merge[(blank + 1)..]);
    }
}
