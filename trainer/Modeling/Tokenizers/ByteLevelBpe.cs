using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace Graft.Modeling.Tokenizers;

/// <summary>
/// Byte-level BPE as in GPT-2: added tokens are taken out, the rest is cut into pieces, and the bytes of each piece are joined.
/// </summary>
internal sealed class ByteLevelBpe : ITokenizer
{
    private const int CachedPieces = 1 << 16, LongestCachedPiece = 64;

    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly byte[]?[] bytesOf;
    private readonly HashSet<int> special;
    private readonly int[] idOfByte = new int[256];
    private readonly BpeMerger merger;
    private readonly AddedTokens added;
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private int cached;

    /// <param name="source">The file, for messages.</param>
    /// <exception cref="ModelFormatException">Its parts do not fit together.</exception>
    public ByteLevelBpe(BpeDefinition definition, string source)
    {
        Definition = definition;
        VocabularySize = Math.Max(definition.Vocabulary.Count, definition.Added.Count == 0 ? 0 : definition.Added.Max(a => a.Id) + 1);
        bytesOf = new byte[]?[VocabularySize];
        for (var id = 0; id < definition.Vocabulary.Count; id++)
        {
            if (definition.Vocabulary[id] is not { } token) continue;
            if (!ids.TryAdd(token, id)) throw new ModelFormatException(source, $"its vocabulary has the token '{token}' twice");
            bytesOf[id] = ByteAlphabet.Bytes(token);
        }
        for (var b = 0; b < 256; b++) idOfByte[b] = ids.GetValueOrDefault(ByteAlphabet.Character((byte)b).ToString(), -1);
        merger = new BpeMerger(ReadMerges(definition.Merges, source));
        foreach (var token in definition.Added)
        {
            ids[token.Content] = token.Id;
            bytesOf[token.Id] = ByteAlphabet.Bytes(token.Content);
        }
        special = [.. definition.Added.Where(a => a.Special).Select(a => a.Id)];
        added = new AddedTokens(definition.Added);
    }

    internal BpeDefinition Definition { get; }

    public int VocabularySize { get; }
    public int? BosId => Definition.BosId;
    public int? EosId => Definition.EosId;
    public int? PadId => Definition.PadId;
    public IReadOnlySet<int> EndOfGenerationIds => Definition.EndOfGenerationIds;

    public int? IdOf(string token) => ids.TryGetValue(token, out var id) ? id : null;

    public ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true) =>
        (uint)id >= (uint)bytesOf.Length || (skipSpecialTokens && special.Contains(id)) ? default : bytesOf[id];

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false)
    {
        var result = new List<int>();
        if (addSpecialTokens) result.AddRange(Definition.Prefix);
        var at = 0;
        while (added.Next(text, at, at) is { } found)
        {
            EncodePlain(text, at, found.Start, result);
            result.Add(found.Token.Id);
            at = found.End;
        }
        EncodePlain(text, at, text.Length, result);
        if (addSpecialTokens) result.AddRange(Definition.Suffix);
        return result;
    }

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var id in ids) bytes.Write(BytesOf(id, skipSpecialTokens));
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private void EncodePlain(string text, int start, int end, List<int> result)
    {
        if (start == end) return;
        if (Definition.AddPrefixSpace && text[start] != ' ')
        {
            text = " " + text[start..end];
            (start, end) = (0, text.Length);
        }
        var pieces = new List<(int Start, int End)> { (start, end) };
        foreach (var pre in Definition.PreTokenizers)
        {
            var finer = new List<(int, int)>(pieces.Count);
            foreach (var (from, to) in pieces) pre.Cut(text, from, to, finer);
            pieces = finer;
        }
        foreach (var (from, to) in pieces) EncodePiece(text.AsSpan(from, to - from), result);
    }

    private void EncodePiece(ReadOnlySpan<char> piece, List<int> result)
    {
        var lookup = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        if (piece.Length <= LongestCachedPiece && lookup.TryGetValue(piece, out var known))
        {
            result.AddRange(known);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var found = Join(buffer.AsSpan(0, Encoding.UTF8.GetBytes(piece, buffer)));
        ArrayPool<byte>.Shared.Return(buffer);
        result.AddRange(found);
        if (piece.Length <= LongestCachedPiece && Interlocked.Increment(ref cached) <= CachedPieces) lookup[piece] = found.ToArray();
    }

    private ReadOnlySpan<int> Join(ReadOnlySpan<byte> bytes)
    {
        if (Definition.IgnoreMerges)
        {
            var whole = string.Create(bytes.Length, bytes.ToArray(), (span, b) =>
            {
                for (var i = 0; i < span.Length; i++) span[i] = ByteAlphabet.Character(b[i]);
            });
            if (ids.TryGetValue(whole, out var id)) return new[] { id };
        }
        var pieces = new int[bytes.Length];
        var count = 0;
        // A byte that the vocabulary lacks is dropped, as the reference implementation does without an unknown token.
        foreach (var b in bytes)
            if (idOfByte[b] >= 0) pieces[count++] = idOfByte[b];
        return pieces.AsSpan(0, merger.Merge(pieces.AsSpan(0, count)));
    }

    private Dictionary<long, (int, int)> ReadMerges(IReadOnlyList<(string Left, string Right)> merges, string source)
    {
        var ranks = new Dictionary<long, (int, int)>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (!ids.TryGetValue(left, out var a) || !ids.TryGetValue(right, out var b) || !ids.TryGetValue(left + right, out var joined))
                throw new ModelFormatException(source, $"its merge {rank} ('{left}' and '{right}') names a token that its vocabulary lacks");
            ranks[BpeMerger.Key(a, b)] = (rank, joined);
        }
        return ranks;
    }
}
