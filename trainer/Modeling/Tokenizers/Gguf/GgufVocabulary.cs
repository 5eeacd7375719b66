namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>What a GGUF file says of its tokenizer.</summary>
internal sealed record GgufVocabulary
{
    /// <summary>What the metadata call <c>llama</c>: SentencePiece's BPE by scores; otherwise byte-level BPE.</summary>
    public required bool BySentencePiece { get; init; }

    public required IReadOnlyList<string> Tokens { get; init; }
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>For each merge when its turn is; equal for those that make the same token.</summary>
    public IReadOnlyList<int>? Ranks { get; init; }

    public required IReadOnlyList<AddedToken> Added { get; init; }

    /// <summary>Patterns that cut a text one after another.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    public bool IgnoreMerges { get; init; }

    /// <summary>A blank is put before every text.</summary>
    public bool PrefixSpace { get; init; }

    public string? UnknownToken { get; init; }

    /// <summary>Ids put before and after every text when special tokens are asked for.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];
    public IReadOnlyList<int> Suffix { get; init; } = [];

    public int? BosId { get; init; }
    public int? EosId { get; init; }
    public int? PadId { get; init; }
    public IReadOnlySet<int> EndOfGenerationIds { get; init; } = new HashSet<int>();
}
