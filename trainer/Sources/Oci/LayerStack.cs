namespace Graft.Sources.Oci;

/// <summary>
/// The files of layers that lie on each other (OCI image specification, image layer filesystem changeset): a later layer's file takes
/// an earlier one's place, and its whiteouts hide what lies below, never what the same layer holds.
/// </summary>
internal sealed class LayerStack
{
    /// <summary>Files and folders together; what a model is made of has a few.</summary>
    private const int MaxNodes = 200_000;
    private readonly Node root = new();
    private int nodes;

    public void Put(OciDescriptor layer, IReadOnlyList<LayerEntry> entries)
    {
        foreach (var entry in entries) Hide(entry);
        foreach (var entry in entries.Where(e => e.Mark == LayerMark.File)) Put(entry.Name, LayerContent.BlobOf(layer, entry.Name));
    }

    /// <summary>One file, in place of whatever has its name, or is a file where it has a folder.</summary>
    /// <exception cref="SourceException"><see cref="SourceFault.Unusable"/>: there are too many.</exception>
    public void Put(string name, string blob)
    {
        var node = root;
        foreach (var part in name.Split('/'))
        {
            node.Blob = null;
            if (!node.Children.TryGetValue(part, out var child))
            {
                if (++nodes > MaxNodes)
                    throw new SourceException(SourceFault.Unusable, $"its layers hold more than {MaxNodes} files and folders");
                node.Children.Add(part, child = new());
            }
            node = child;
        }
        node.Children.Clear();
        node.Blob = blob;
    }

    /// <summary>Each file's name, and the blob with its bytes.</summary>
    public Dictionary<string, string> Files()
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        // No recursion: a name has as many folders as it likes.
        var open = new Stack<(string Name, Node Node)>([("", root)]);
        while (open.TryPop(out var next))
        {
            if (next.Node.Blob is { } blob) files.Add(next.Name, blob);
            foreach (var (part, child) in next.Node.Children) open.Push((next.Name.Length == 0 ? part : $"{next.Name}/{part}", child));
        }
        return files;
    }

    private void Hide(LayerEntry entry)
    {
        var (parent, node, last) = (default(Node), root, "");
        foreach (var part in entry.Name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!node.Children.TryGetValue(part, out var child)) return;
            (parent, node, last) = (node, child, part);
        }
        switch (entry.Mark)
        {
            case LayerMark.Hidden: parent?.Children.Remove(last); break;
            case LayerMark.Emptied: node.Children.Clear(); break;
            case LayerMark.Folder: node.Blob = null; break;
        }
    }

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public string? Blob { get; set; }
    }
}
