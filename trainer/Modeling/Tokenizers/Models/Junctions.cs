namespace Graft.Modeling.Tokenizers.Models;

/// <summary>
/// Which units may stand on both sides of a place where two tokens are joined. Where none of the merges could join, a piece may be cut
/// without changing what comes out. Pairs are hashed, so that a pair may be named by mistake, which only costs time; never left out.
/// </summary>
internal sealed class Junctions
{
    private const int Bits = 22;
    private readonly ulong[] pairs = new ulong[(1 << Bits) / 64];

    public Junctions(IReadOnlyList<(string Left, string Right)> merges)
    {
        foreach (var (left, right) in merges)
        {
            if (left.Length == 0 || right.Length == 0) continue;
            var slot = SlotOf(left[^1], right[0]);
            pairs[slot >> 6] |= 1ul << (slot & 63);
        }
    }

    public bool MayJoin(char left, char right) => SlotOf(left, right) is var slot && (pairs[slot >> 6] >> (slot & 63) & 1) != 0;

    private static int SlotOf(char left, char right) => (int)(((uint)left << 16 | right) * 2654435761u >> (32 - Bits));
}
