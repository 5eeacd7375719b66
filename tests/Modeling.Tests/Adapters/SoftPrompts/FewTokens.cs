namespace Graft.Modeling.Tests.Adapters.SoftPrompts;

/// <summary>Knows two words, and begins each text with a special token.</summary>
internal sealed class FewTokens : ITokenizer
{
    private static readonly Dictionary<string, int> Words = new(StringComparer.Ordinal) { ["<s>"] = 1, ["five"] = 5, ["six"] = 6 };

    public int VocabularySize => 7;
    public int? BosId => 1;
    public int? EosId => null;
    public int? PadId => null;
    public IReadOnlySet<int> EndOfGenerationIds { get; } = new HashSet<int>();

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false)
    {
        int[] ids = [.. text.Split(' ').Select(w => Words[w])];
        return addSpecialTokens ? [1, .. ids] : ids;
    }

    public TextEncoding EncodeDetailed(string text, string? pair = null, bool addSpecialTokens = false) =>
        throw new NotSupportedException();

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true) =>
        string.Join(' ', ids.Select(i => Words.First(w => w.Value == i).Key));

    public int? IdOf(string token) => Words.TryGetValue(token, out var id) ? id : null;

    public ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true) => throw new NotSupportedException();
}
