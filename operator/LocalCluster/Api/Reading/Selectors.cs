using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>The label and field selectors of a request, and its namespace, as one predicate.</summary>
internal sealed class Selectors
{
    private readonly string _namespace;
    private readonly List<Func<JsonObject, bool>> _requirements = [];

    public Selectors(ResourceKind kind, string ns, string name, string labels, string fields)
    {
        _namespace = ns;
        if (name.Length > 0)
            _requirements.Add(obj => obj.Name() == name);
        foreach (var requirement in LabelRequirements.Parse(labels))
            _requirements.Add(obj => requirement(obj.Labels()));
        foreach (var part in fields.Split(',', StringSplitOptions.RemoveEmptyEntries))
            _requirements.Add(FieldRequirement(kind, part.Trim()));
    }

    /// <summary>Whether anything beside the namespace is asked for.</summary>
    public bool IsSelective => _requirements.Count > 0;

    public bool Matches(StoredObject stored) =>
        (_namespace.Length == 0 || stored.Key.Namespace == _namespace)
            && _requirements.TrueForAll(requirement => requirement(stored.Content));

    private static Func<JsonObject, bool> FieldRequirement(ResourceKind kind, string text)
    {
        var negative = text.Contains("!=", StringComparison.Ordinal);
        var sides = text.Split(negative ? "!=" : text.Contains("==", StringComparison.Ordinal) ? "==" : "=", 2);
        if (sides.Length != 2)
            throw ApiException.BadRequest($"invalid selector: '{text}'; can't understand '{text}'");
        var (field, wanted) = (sides[0].Trim(), sides[1].Trim());
        Func<JsonObject, string> read = field switch
        {
            "metadata.name" => obj => obj.Name(),
            "metadata.namespace" => obj => obj.Namespace(),
            _ => kind.SelectableFields.GetValueOrDefault(field) ?? throw ApiException.BadRequest(NotSelectable(kind, field)),
        };
        return obj => read(obj) == wanted != negative;
    }

    /// <summary>Kubernetes has one text for kinds with fields of their own and for custom kinds, another one for all the others.</summary>
    private static string NotSelectable(ResourceKind kind, string field) => kind.IsCustom || kind.SelectableFields.Count > 0
        ? $"field label not supported: {field}"
        : $"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
}
