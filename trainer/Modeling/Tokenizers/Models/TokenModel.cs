namespace Graft.Modeling.Tokenizers.Models;

/// <summary>Where tokens go; with the ranges and texts of each only where they are asked for.</summary>
internal sealed class TokenSink(bool detailed)
{
    public bool Detailed => detailed;
    public List<int> Ids { get; } = [];

    /// <summary>Of the text that the pieces lie in, in units.</summary>
    public List<(int Start, int End)> Spans { get; } = [];

    /// <summary>Null where the token's own text is meant.</summary>
    public List<string?> Texts { get; } = [];

    /// <summary>Where the piece begins that is being encoded.</summary>
    public int Base { get; set; }

    /// <param name="start">Of the piece, in units.</param>
    public void Add(int id, int start, int end, string? text = null)
    {
        Ids.Add(id);
        if (!detailed) return;
        Spans.Add((Base + start, Base + end));
        Texts.Add(text);
    }
}

/// <summary>A vocabulary and how a piece becomes tokens of it. Safe to use from several threads.</summary>
internal abstract class TokenModel(Vocabulary vocabulary)
{
    public Vocabulary Vocabulary => vocabulary;

    /// <exception cref="ModelFormatException">The piece holds what the vocabulary lacks, and there is no token for the unknown.</exception>
    public abstract void Encode(ReadOnlySpan<char> piece, TokenSink sink);
}

/// <summary>Tokens by text and by id.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly string?[] tokens;

    /// <param name="tokens">By id; null where an id is not used. Of equal ones the last counts, as in the tokenizers library.</param>
    public Vocabulary(string?[] tokens)
    {
        this.tokens = tokens;
        ids = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
            if (tokens[id] is { } token) ids[token] = id;
        Lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public IReadOnlyList<string?> Tokens => tokens;

    /// <summary>Different tokens.</summary>
    public int Count => ids.Count;

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

    public int? IdOf(string token) => ids.TryGetValue(token, out var id) ? id : null;

    public string? TokenOf(int id) => (uint)id < (uint)tokens.Length ? tokens[id] : null;

    /// <summary>Ids of <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, -1 where one is missing.</summary>
    public int[] ByteIds() => [.. Enumerable.Range(0, 256).Select(b => IdOf($"<0x{b:X2}>") ?? -1)];
}
