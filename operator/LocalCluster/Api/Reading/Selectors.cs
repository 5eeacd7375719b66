using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>The label and field selectors of a request, and its namespace, as one predicate.</summary>
internal sealed class Selectors
{
    private readonly List<Func<StoredObject, bool>> _requirements = [];

    public Selectors(ResourceKind kind, string ns, string name, string labels, string fields)
    {
        Namespace = ns;
        if (name.Length > 0)
            _requirements.Add(stored => stored.Key.Name == name);
        var ofLabels = LabelRequirements.Parse(labels).ToList();
        if (ofLabels.Count > 0)
            _requirements.Add(stored => HasAll(ofLabels, stored.Labels));
        foreach (var part in fields.Split(',', StringSplitOptions.RemoveEmptyEntries))
            _requirements.Add(FieldRequirement(kind, part.Trim()));
    }

    /// <summary>Whether anything beside the namespace is asked for.</summary>
    public bool IsSelective => _requirements.Count > 0;

    /// <summary>Empty for all.</summary>
    public string Namespace { get; }

    public bool Matches(StoredObject stored) =>
        (Namespace.Length == 0 || stored.Key.Namespace == Namespace) && _requirements.TrueForAll(requirement => requirement(stored));

    private static bool HasAll(List<Func<IReadOnlyDictionary<string, string>, bool>> requirements,
        IReadOnlyDictionary<string, string> labels) => requirements.TrueForAll(requirement => requirement(labels));

    private static Func<StoredObject, bool> FieldRequirement(ResourceKind kind, string text)
    {
        var negative = text.Contains("!=", StringComparison.Ordinal);
        var sides = text.Split(negative ? "!=" : text.Contains("==", StringComparison.Ordinal) ? "==" : "=", 2);
        if (sides.Length != 2)
            throw ApiException.BadRequest($"invalid selector: '{text}'; can't understand '{text}'");
        var (field, wanted) = (sides[0].Trim(), sides[1].Trim());
        if (field == "metadata.name")
            return stored => stored.Key.Name == wanted != negative;
        if (field == "metadata.namespace")
            return stored => stored.Key.Namespace == wanted != negative;
        var read = kind.SelectableFields.GetValueOrDefault(field) ?? throw ApiException.BadRequest(NotSelectable(kind, field));
        return stored => read(stored.Content) == wanted != negative;
    }

    /// <summary>Kubernetes has one text for kinds with fields of their own and for custom kinds, another one for all the others.</summary>
    private static string NotSelectable(ResourceKind kind, string field) => kind.IsCustom || kind.SelectableFields.Count > 0
        ? $"field label not supported: {field}"
        : $"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
}
