using System.Buffers;

namespace Graft.Modeling.Tokenizers.Models;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): the pair of the lowest rank is joined first, the leftmost of equal ones.
/// n log n in the length of the piece, so that a text without blanks is no trap.
/// </summary>
internal sealed class BpeMerger
{
    private const int Short = 48;
    private readonly Dictionary<long, (int Rank, int Id)> merges;

    /// <param name="merges">By <see cref="Key"/>: rank, and the id of the joined token.</param>
    public BpeMerger(Dictionary<long, (int Rank, int Id)> merges) => this.merges = merges;

    public static long Key(int left, int right) => (long)left << 32 | (uint)right;

    /// <summary>Joins in place; returns how many ids are left.</summary>
    /// <param name="widths">For each id how many of the first ones it was joined from; 1 each at first.</param>
    public int Merge(Span<int> ids, Span<int> widths) => ids.Length <= Short ? MergeShort(ids, widths) : MergeLong(ids, widths);

    private int RankOf(int left, int right, out int joined)
    {
        if (merges.TryGetValue(Key(left, right), out var merge))
        {
            joined = merge.Id;
            return merge.Rank;
        }
        joined = -1;
        return int.MaxValue;
    }

    private int MergeShort(Span<int> ids, Span<int> widths)
    {
        var count = ids.Length;
        // Of each place with the one after it.
        Span<int> ranks = stackalloc int[Short], joined = stackalloc int[Short];
        for (var i = 0; i + 1 < count; i++) ranks[i] = RankOf(ids[i], ids[i + 1], out joined[i]);
        while (count > 1)
        {
            var (best, at) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < count; i++)
                if (ranks[i] < best) (best, at) = (ranks[i], i);
            if (at < 0) break;
            ids[at] = joined[at];
            widths[at] += widths[at + 1];
            ids[(at + 2)..count].CopyTo(ids[(at + 1)..]);
            widths[(at + 2)..count].CopyTo(widths[(at + 1)..]);
            ranks[(at + 2)..count].CopyTo(ranks[(at + 1)..]);
            joined[(at + 2)..count].CopyTo(joined[(at + 1)..]);
            count--;
            if (at + 1 < count) ranks[at] = RankOf(ids[at], ids[at + 1], out joined[at]);
            if (at > 0) ranks[at - 1] = RankOf(ids[at - 1], ids[at], out joined[at - 1]);
        }
        return count;
    }

    private int MergeLong(Span<int> ids, Span<int> widths)
    {
        int[] next = ArrayPool<int>.Shared.Rent(ids.Length), previous = ArrayPool<int>.Shared.Rent(ids.Length);
        // Rank above, place below: the least key is the lowest rank and, among equals, the leftmost.
        var queue = new PriorityQueue<(int Left, int Right), long>(ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            (next[i], previous[i]) = (i + 1 < ids.Length ? i + 1 : -1, i - 1);
            if (i + 1 < ids.Length && merges.TryGetValue(Key(ids[i], ids[i + 1]), out var merge))
                queue.Enqueue((ids[i], ids[i + 1]), Key(merge.Rank, i));
        }
        while (queue.TryDequeue(out var pair, out var key))
        {
            var at = (int)key;
            // A pair that was queued before one of its halves was joined elsewhere is stale.
            if (ids[at] != pair.Left || next[at] is var right && (right < 0 || ids[right] != pair.Right)) continue;
            ids[at] = merges[Key(pair.Left, pair.Right)].Id;
            widths[at] += widths[right];
            ids[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0) previous[next[at]] = at;
            foreach (var left in (ReadOnlySpan<int>)[at, previous[at]])
            {
                if (left < 0 || next[left] < 0 || !merges.TryGetValue(Key(ids[left], ids[next[left]]), out var merge)) continue;
                queue.Enqueue((ids[left], ids[next[left]]), Key(merge.Rank, left));
            }
        }
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return Compact(ids, widths);
    }

    private static int Compact(Span<int> ids, Span<int> widths)
    {
        var count = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] < 0) continue;
            (ids[count], widths[count]) = (ids[i], widths[i]);
            count++;
        }
        return count;
    }
}
