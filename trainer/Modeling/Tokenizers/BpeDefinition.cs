namespace Graft.Modeling.Tokenizers;

/// <summary>What a byte-level BPE tokenizer is made of, whichever file it came from.</summary>
internal sealed record BpeDefinition
{
    /// <summary>Token texts in the byte alphabet, by id; null where an id is not used. Added tokens are not among them.</summary>
    public required IReadOnlyList<string?> Vocabulary { get; init; }

    /// <summary>Pairs of token texts, the first joined first.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    public required IReadOnlyList<AddedToken> Added { get; init; }
    public required IReadOnlyList<PreTokenizer> PreTokenizers { get; init; }

    /// <summary>A blank is put before a text that does not begin with one.</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>A whole piece that is a token is that token, whether or not merges reach it.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Ids put before and after every text when special tokens are asked for.</summary>
    public IReadOnlyList<int> Prefix { get; init; } = [];
    public IReadOnlyList<int> Suffix { get; init; } = [];

    public int? BosId { get; init; }
    public int? EosId { get; init; }
    public int? PadId { get; init; }
    public IReadOnlySet<int> EndOfGenerationIds { get; init; } = new HashSet<int>();
}
