using System.Text;
using Graft.Modeling;

namespace Graft.Server.Tests.Fakes;

/// <summary>A token for each byte, and one that ends an answer.</summary>
internal sealed class ByteTokenizer : ITokenizer
{
    public const int End = 256;

    public int VocabularySize => 257;
    public int? BosId => null;
    public int? EosId => End;
    public int? PadId => null;
    public IReadOnlySet<int> EndOfGenerationIds { get; } = new HashSet<int> { End };

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    public TextEncoding EncodeDetailed(string text, string? pair = null, bool addSpecialTokens = false) =>
        throw new NotSupportedException();

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true) =>
        Encoding.UTF8.GetString([.. ids.Where(i => i < End).Select(i => (byte)i)]);

    public int? IdOf(string token) => null;

    public ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true) => id < End ? new[] { (byte)id } : [];
}
