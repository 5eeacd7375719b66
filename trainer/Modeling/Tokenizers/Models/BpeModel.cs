using System.Collections.Concurrent;
using System.Text;

namespace Graft.Modeling.Tokenizers.Models;

/// <param name="ContinuingPrefix">Stands before every character of a piece but the first in the vocabulary; null or empty: nothing.</param>
/// <param name="EndSuffix">Stands behind the last.</param>
/// <param name="FuseUnknown">Unknown characters side by side are one token.</param>
/// <param name="ByteFallback">An unknown character is written in the tokens of its bytes, where all of them exist.</param>
/// <param name="IgnoreMerges">A whole piece that is a token is that token, whether or not merges reach it.</param>
internal sealed record BpeOptions(string? UnknownToken = null, string? ContinuingPrefix = null, string? EndSuffix = null,
    bool FuseUnknown = false, bool ByteFallback = false, bool IgnoreMerges = false);

/// <summary>Byte-pair encoding over characters (for byte-level vocabularies the pre-tokenizer made characters of the bytes).</summary>
internal sealed class BpeModel : TokenModel
{
    private const int CachedPieces = 1 << 16, LongestCachedPiece = 64;

    private readonly BpeMerger merger;
    private readonly Junctions junctions;
    private readonly int[] idOfUnit = new int[0x10000];
    private readonly int[] byteIds;
    private readonly bool affixes;
    private readonly ConcurrentDictionary<string, Encoded> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Encoded>.AlternateLookup<ReadOnlySpan<char>> lookup;
    private int cached;

    /// <param name="merges">Pairs of token texts, the first joined first.</param>
    /// <param name="ranks">For each merge when its turn is, where that is not its place in the list.</param>
    /// <exception cref="FormatException">A merge names a token that the vocabulary lacks.</exception>
    public BpeModel(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeOptions options,
        IReadOnlyList<int>? ranks = null)
        : base(vocabulary)
    {
        Options = options;
        Array.Fill(idOfUnit, -1);
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
            if (vocabulary.Tokens[id] is [var unit]) idOfUnit[unit] = vocabulary.IdOf(vocabulary.Tokens[id]!)!.Value;
        byteIds = options.ByteFallback ? vocabulary.ByteIds() : [];
        affixes = options.ContinuingPrefix is { Length: > 0 } || options.EndSuffix is { Length: > 0 };
        merger = new BpeMerger(Ranks(merges, ranks));
        junctions = new Junctions(merges);
        lookup = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        UnknownId = options.UnknownToken is { } token ? vocabulary.IdOf(token) : null;
    }

    public BpeOptions Options { get; }

    private int? UnknownId { get; }

    public override void Encode(ReadOnlySpan<char> piece, TokenSink sink)
    {
        // The ranges of what follows a dropped character depend on all of the piece.
        if (piece.Length <= LongestCachedPiece || affixes || Options.IgnoreMerges || (sink.Detailed && UnknownId is null))
        {
            EncodePart(piece, sink, 0);
            return;
        }
        // What no merge can join is encoded by itself, and found in the cache when it comes again.
        for (var start = 0; start < piece.Length;)
        {
            var end = start + 1;
            while (end < piece.Length && !CutsBefore(piece, end)) end++;
            EncodePart(piece[start..end], sink, start);
            start = end;
        }
    }

    private bool CutsBefore(ReadOnlySpan<char> piece, int at) =>
        !junctions.MayJoin(piece[at - 1], piece[at]) && idOfUnit[piece[at - 1]] >= 0 && idOfUnit[piece[at]] >= 0;

    private void EncodePart(ReadOnlySpan<char> piece, TokenSink sink, int start)
    {
        if (piece.Length <= LongestCachedPiece && lookup.TryGetValue(piece, out var known))
        {
            known.AddTo(sink, start);
            return;
        }
        var encoded = Join(piece);
        encoded.AddTo(sink, start);
        if (piece.Length <= LongestCachedPiece && Volatile.Read(ref cached) < CachedPieces && lookup.TryAdd(piece, encoded))
            Interlocked.Increment(ref cached);
    }

    private Encoded Join(ReadOnlySpan<char> piece)
    {
        if (Options.IgnoreMerges && Vocabulary.Lookup.TryGetValue(piece, out var whole)) return new Encoded([whole], [0], [piece.Length]);
        var symbols = new Symbols(piece.Length);
        AddSymbols(piece, symbols);
        var ids = symbols.Ids.AsSpan(0, symbols.Count);
        var widths = new int[symbols.Count];
        widths.AsSpan().Fill(1);
        var count = merger.Merge(ids, widths);
        var (starts, ends) = (new int[count], new int[count]);
        for (int i = 0, from = 0; i < count; from += widths[i++]) (starts[i], ends[i]) = (symbols.Starts[from],
            symbols.Ends[from + widths[i] - 1]);
        if (symbols.Dropped) Close(piece, symbols, widths, starts, ends);
        return new Encoded(ids[..count].ToArray(), starts, ends);
    }

    private void AddSymbols(ReadOnlySpan<char> piece, Symbols symbols)
    {
        (int Start, int End)? unknown = null;
        for (var i = 0; i < piece.Length;)
        {
            var (start, end) = (i, i + (char.IsHighSurrogate(piece[i]) ? 2 : 1));
            i = end;
            if (IdOf(piece, start, end) is var id and >= 0)
            {
                FlushUnknown();
                symbols.Add(id, start, end);
                continue;
            }
            if (Options.ByteFallback && AddBytes(piece[start..end], symbols, start, end)) continue;
            if (UnknownId is null)
            {
                symbols.Dropped = true;
                continue;
            }
            if (!Options.FuseUnknown) FlushUnknown();
            unknown = (unknown?.Start ?? start, end);
        }
        FlushUnknown();

        void FlushUnknown()
        {
            if (unknown is { } u) symbols.Add(UnknownId!.Value, u.Start, u.End);
            unknown = null;
        }
    }

    /// <summary>
    /// Where characters were dropped, the tokenizers library lays the bytes of the tokens end to end, and so are their ranges.
    /// </summary>
    private static void Close(ReadOnlySpan<char> piece, Symbols symbols, int[] widths, int[] starts, int[] ends)
    {
        var unitOf = new List<int>(piece.Length);
        for (var i = 0; i < piece.Length; i += char.IsHighSurrogate(piece[i]) ? 2 : 1)
            for (var b = Encoding.UTF8.GetByteCount(piece.Slice(i, char.IsHighSurrogate(piece[i]) ? 2 : 1)); b > 0; b--) unitOf.Add(i);
        var (at, symbol) = (0, 0);
        for (var i = 0; i < starts.Length; i++)
        {
            var length = 0;
            for (var end = symbol + widths[i]; symbol < end; symbol++)
                length += Encoding.UTF8.GetByteCount(piece[symbols.Starts[symbol]..symbols.Ends[symbol]]);
            var last = unitOf[at + length - 1];
            (starts[i], ends[i]) = (unitOf[at], last + (char.IsHighSurrogate(piece[last]) ? 2 : 1));
            at += length;
        }
    }

    private int IdOf(ReadOnlySpan<char> piece, int start, int end)
    {
        if (!affixes) return end - start == 1 ? idOfUnit[piece[start]] : Vocabulary.Lookup.TryGetValue(piece[start..end], out var id) ? id
            : -1;
        var text = (start > 0 ? Options.ContinuingPrefix : "") + piece[start..end].ToString()
            + (end == piece.Length ? Options.EndSuffix : "");
        return Vocabulary.IdOf(text) ?? -1;
    }

    private bool AddBytes(ReadOnlySpan<char> character, Symbols symbols, int start, int end)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (var b in bytes)
            if (byteIds[b] < 0) return false;
        foreach (var b in bytes) symbols.Add(byteIds[b], start, end);
        return true;
    }

    private Dictionary<long, (int, int)> Ranks(IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<int>? given)
    {
        var ranks = new Dictionary<long, (int, int)>(merges.Count);
        var prefix = Options.ContinuingPrefix?.Length ?? 0;
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            var joined = right.Length < prefix ? null : left + right[prefix..];
            if (Vocabulary.IdOf(left) is not { } a || Vocabulary.IdOf(right) is not { } b || joined is null
                || Vocabulary.IdOf(joined) is not { } id)
                throw new FormatException($"its merge {rank} ('{left}' and '{right}') names a token that its vocabulary lacks");
            ranks[BpeMerger.Key(a, b)] = (given?[rank] ?? rank, id);
        }
        return ranks;
    }

    /// <summary>The tokens of a piece and their ranges in it.</summary>
    private sealed record Encoded(int[] Ids, int[] Starts, int[] Ends)
    {
        public void AddTo(TokenSink sink, int start)
        {
            if (sink.Detailed)
                for (var i = 0; i < Ids.Length; i++) sink.Add(Ids[i], start + Starts[i], start + Ends[i]);
            else if (Ids.Length == 1) sink.Ids.Add(Ids[0]);
            else sink.Ids.AddRange(Ids);
        }
    }

    private sealed class Symbols(int capacity)
    {
        public int[] Ids = new int[capacity];
        public int[] Starts = new int[capacity];
        public int[] Ends = new int[capacity];
        public int Count;

        /// <summary>Characters that the vocabulary lacks, without a token for the unknown.</summary>
        public bool Dropped;

        public void Add(int id, int start, int end)
        {
            if (Count == Ids.Length)
            {
                // A character may be four bytes, and so four symbols.
                Array.Resize(ref Ids, Count * 2 + 4);
                Array.Resize(ref Starts, Ids.Length);
                Array.Resize(ref Ends, Ids.Length);
            }
            (Ids[Count], Starts[Count], Ends[Count]) = (id, start, end);
            Count++;
        }
    }
}
