namespace Graft.Modeling;

/// <summary>A conversation as its template writes it.</summary>
/// <param name="AssistantSpans">[start, end) of what the assistant wrote, in UTF-16 units of <paramref name="Text"/>, in order.</param>
public sealed record RenderedChat(string Text, IReadOnlyList<(int Start, int End)> AssistantSpans)
{
    /// <summary>
    /// Which tokens are the assistant's: of each span, from the one that holds its first character to the one that holds its last.
    /// A span that begins beyond the last token has none.
    /// </summary>
    /// <param name="offsets">[start, end) of each token in the same units, in order.</param>
    public bool[] Mask(IReadOnlyList<(int Start, int End)> offsets)
    {
        var mask = new bool[offsets.Count];
        foreach (var (start, end) in AssistantSpans)
        {
            if (end <= start) continue;
            for (var i = FirstEndingAfter(offsets, start); i < offsets.Count && offsets[i].Start < end; i++) mask[i] = true;
        }
        return mask;
    }

    private static int FirstEndingAfter(IReadOnlyList<(int Start, int End)> offsets, int place)
    {
        int low = 0, high = offsets.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (offsets[middle].End > place) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
