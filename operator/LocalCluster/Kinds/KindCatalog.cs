using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>The kinds that are served now: the built-in ones and those of the CustomResourceDefinitions. Readers see one consistent
/// set.</summary>
internal sealed class KindCatalog
{
    private readonly ModelSchemas _schemas = new();
    private readonly Lock _gate = new();
    private volatile State _state;

    private sealed record State(ImmutableDictionary<(string Group, string Version, string Plural), ResourceKind> Kinds, long Revision);

    public KindCatalog()
    {
        var kinds = BuiltInKinds.All(_schemas).ToImmutableDictionary(kind => (kind.Group, kind.Version, kind.Plural));
        _state = new State(kinds, 1);
    }

    /// <summary>All kinds, in the order of group, version and name.</summary>
    public IReadOnlyList<ResourceKind> All =>
    [
        .. _state.Kinds.Values.OrderBy(kind => kind.Group, StringComparer.Ordinal)
            .ThenBy(kind => kind.Version, StringComparer.Ordinal).ThenBy(kind => kind.Plural, StringComparer.Ordinal),
    ];

    /// <summary>Grows with every change, for the hashes of documents made of the kinds.</summary>
    public long Revision => _state.Revision;

    /// <summary>The definitions that built-in schemas refer to.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonObject>> BuiltInDefinitions
    {
        get
        {
            lock (_gate)
                return [.. _schemas.Definitions];
        }
    }

    public ResourceKind? Find(string group, string version, string plural) => _state.Kinds.GetValueOrDefault((group, version, plural));

    /// <summary>Any version of a kind.</summary>
    public ResourceKind? Find(GroupResource resource) =>
        _state.Kinds.Values.Where(kind => kind.GroupResource == resource).MinBy(kind => kind.Version, StringComparer.Ordinal);

    public bool ServesGroup(string group) => _state.Kinds.Keys.Any(key => key.Group == group);

    public bool ServesVersion(string group, string version) => _state.Kinds.Keys.Any(key => key.Group == group && key.Version == version);

    /// <summary>Serves what a definition says now, in place of what it said before.</summary>
    public void Define(JsonObject definition)
    {
        lock (_gate)
        {
            var made = CustomKinds.From((JsonObject)definition.DeepClone(), _schemas).ToList();
            var entries = made.Select(kind => KeyValuePair.Create((kind.Group, kind.Version, kind.Plural), kind));
            var kinds = Without(definition).AddRange(entries);
            _state = new State(kinds, _state.Revision + 1);
        }
    }

    /// <summary>Serves no longer what this very definition said; what another of the same name says stays.</summary>
    public void Undefine(JsonObject definition)
    {
        lock (_gate)
        {
            var gone = _state.Kinds.Where(pair => pair.Value.DefinitionUid == definition.Uid()).Select(pair => pair.Key);
            _state = new State(_state.Kinds.RemoveRange(gone), _state.Revision + 1);
        }
    }

    /// <summary>The table in which the objects of a definition lie.</summary>
    public static GroupResource ResourceOf(JsonObject definition) =>
        new(definition.At("spec", "group").AsString() ?? "", definition.At("spec", "names", "plural").AsString() ?? "");

    private ImmutableDictionary<(string Group, string Version, string Plural), ResourceKind> Without(JsonObject definition)
    {
        var resource = ResourceOf(definition);
        var old = _state.Kinds.Values.Where(kind => kind.IsCustom && kind.GroupResource == resource);
        return _state.Kinds.RemoveRange(old.Select(kind => (kind.Group, kind.Version, kind.Plural)));
    }
}
