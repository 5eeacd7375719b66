namespace Graft.Modeling.Tokenizers;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): the pair of the lowest rank is joined first, the leftmost of
/// equal ones. n log n in the length of the piece, so that a text without blanks is no trap.
/// </summary>
internal sealed class BpeMerger
{
    private readonly Dictionary<long, (int Rank, int Id)> merges;

    /// <param name="merges">By <see cref="Key"/>: rank, and the id of the joined token.</param>
    public BpeMerger(Dictionary<long, (int Rank, int Id)> merges) => this.merges = merges;

    public static long Key(int left, int right) => (long)left << 32 | (uint)right;

    /// <summary>Joins in place; returns how many ids are left.</summary>
    public int Merge(Span<int> ids) => ids.Length <= 24 ? MergeShort(ids) : MergeLong(ids);

    private int MergeShort(Span<int> ids)
    {
        var count = ids.Length;
        while (count > 1)
        {
            var (best, at, joined) = (int.MaxValue, -1, 0);
            for (var i = 0; i + 1 < count; i++)
                if (merges.TryGetValue(Key(ids[i], ids[i + 1]), out var merge) && merge.Rank < best) (best, at, joined) = (merge.Rank, i, merge.Id);
            if (at < 0) break;
            ids[at] = joined;
            ids[(at + 2)..count].CopyTo(ids[(at + 1)..]);
            count--;
        }
        return count;
    }

    private int MergeLong(Span<int> ids)
    {
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
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
            ids[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0) previous[next[at]] = at;
            foreach (var left in (ReadOnlySpan<int>)[at, previous[at]])
            {
                if (left < 0 || next[left] < 0 || !merges.TryGetValue(Key(ids[left], ids[next[left]]), out var merge)) continue;
                queue.Enqueue((ids[left], ids[next[left]]), Key(merge.Rank, left));
            }
        }
        return Compact(ids);
    }

    private static int Compact(Span<int> ids)
    {
        var count = 0;
        foreach (var id in ids)
            if (id >= 0) ids[count++] = id;
        return count;
    }
}
