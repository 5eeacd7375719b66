namespace Graft.Modeling.Tokenizers.Text;

/// <summary>
/// Texts by their UTF-16 units: finds those that begin at a place, shortest first. Edges lie in one open-addressed table.
/// </summary>
internal sealed class CharTrie
{
    public const int Root = 0;
    private ulong[] keys = new ulong[1024];
    private int[] children = new int[1024];
    private int[] values = new int[256];
    private int edges;

    public CharTrie() => values[0] = -1;

    public int Nodes { get; private set; } = 1;

    /// <summary>A text that is there already keeps its first value, unless <paramref name="replace"/>.</summary>
    public void Add(ReadOnlySpan<char> text, int value, bool replace = false)
    {
        var node = Root;
        foreach (var unit in text)
        {
            var slot = SlotOf(node, unit);
            if (keys[slot] == 0)
            {
                if (Nodes == values.Length) Array.Resize(ref values, Nodes * 2);
                values[Nodes] = -1;
                (keys[slot], children[slot]) = (KeyOf(node, unit), Nodes);
                node = Nodes++;
                if (++edges * 2 > keys.Length) Grow();
            }
            else
            {
                node = children[slot];
            }
        }
        if (values[node] < 0 || replace) values[node] = value;
    }

    /// <summary>The node that a unit leads to; -1 when there is none.</summary>
    public int Next(int node, char unit)
    {
        var slot = SlotOf(node, unit);
        return keys[slot] == 0 ? -1 : children[slot];
    }

    /// <summary>What was added with the text that ends at a node; -1 when none does.</summary>
    public int ValueOf(int node) => values[node];

    /// <summary>
    /// The longest text that <paramref name="text"/> begins with: its value and length; a value of -1 when there is none.
    /// </summary>
    public (int Value, int Length) Longest(ReadOnlySpan<char> text, int from = Root)
    {
        var (node, found, length) = (from, -1, 0);
        for (var i = 0; i < text.Length; i++)
        {
            node = Next(node, text[i]);
            if (node < 0) break;
            if (values[node] >= 0) (found, length) = (values[node], i + 1);
        }
        return (found, length);
    }

    // The node's number is shifted by one, so that no key is 0.
    private static ulong KeyOf(int node, char unit) => (ulong)(uint)(node + 1) << 16 | unit;

    private int SlotOf(int node, char unit)
    {
        var key = KeyOf(node, unit);
        var mask = keys.Length - 1;
        var slot = (int)((key * 0x9E3779B97F4A7C15) >> 33) & mask;
        while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        var (oldKeys, oldChildren) = (keys, children);
        keys = new ulong[oldKeys.Length * 2];
        children = new int[keys.Length];
        for (var i = 0; i < oldKeys.Length; i++)
        {
            if (oldKeys[i] == 0) continue;
            var slot = SlotOf((int)(oldKeys[i] >> 16) - 1, (char)oldKeys[i]);
            (keys[slot], children[slot]) = (oldKeys[i], oldChildren[i]);
        }
    }
}
