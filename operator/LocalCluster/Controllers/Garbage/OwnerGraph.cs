namespace Graft.LocalCluster.Controllers.Garbage;

/// <summary>Who owns whom, as far as told. Safe to use from several threads.</summary>
internal sealed class OwnerGraph
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ObjectNode> _nodes = [];
    private readonly Dictionary<string, HashSet<string>> _dependents = [];

    public ObjectNode? Find(string uid)
    {
        lock (_gate) return _nodes.GetValueOrDefault(uid);
    }

    public IReadOnlyList<ObjectNode> DependentsOf(string uid)
    {
        lock (_gate) return _dependents.TryGetValue(uid, out var uids) ? [.. uids.Select(u => _nodes[u])] : [];
    }

    public IReadOnlyList<ObjectNode> OfKind(Runtime.ResourceKind kind)
    {
        lock (_gate) return [.. _nodes.Values.Where(n => n.Kind == kind)];
    }

    /// <returns>The uids to look at now.</returns>
    public IReadOnlyList<string> Tell(ObjectNode node)
    {
        lock (_gate)
        {
            Unlink(node.Uid);
            _nodes[node.Uid] = node;
            foreach (var owner in node.Owners)
            {
                if (!_dependents.TryGetValue(owner.Uid, out var uids)) _dependents[owner.Uid] = uids = [];
                uids.Add(node.Uid);
            }
            // An owner that waits for its dependents may have to wait no longer, or for one more.
            return [node.Uid, .. node.Owners.Select(o => o.Uid)];
        }
    }

    /// <inheritdoc cref="Tell"/>
    public IReadOnlyList<string> TellGone(string uid)
    {
        lock (_gate)
        {
            var owners = _nodes.TryGetValue(uid, out var node) ? node.Owners.Select(o => o.Uid).ToList() : [];
            Unlink(uid);
            _nodes.Remove(uid);
            return [.. _dependents.TryGetValue(uid, out var dependents) ? dependents : [], .. owners];
        }
    }

    private void Unlink(string uid)
    {
        if (!_nodes.TryGetValue(uid, out var old)) return;
        foreach (var owner in old.Owners)
        {
            if (!_dependents.TryGetValue(owner.Uid, out var uids)) continue;
            uids.Remove(uid);
            if (uids.Count == 0) _dependents.Remove(owner.Uid);
        }
    }
}
