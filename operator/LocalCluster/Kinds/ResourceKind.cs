using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>One column of <c>kubectl get</c>; priority 0 is always shown, others with <c>-o wide</c>.</summary>
/// <param name="Value">The cell of one object; null is shown as an empty cell.</param>
internal sealed record PrinterColumn(
    string Name, string Type, Func<JsonObject, TimeProvider, JsonNode?> Value, int Priority = 0, string Format = "",
    string Description = "");

/// <summary>Where the scale subresource reads and writes, as paths of member names below the object.</summary>
internal sealed record ScalePaths(IReadOnlyList<string> SpecReplicas, IReadOnlyList<string> StatusReplicas,
    IReadOnlyList<string>? Selector);

/// <summary>Everything that the one generic handler needs to know of a kind. To serve another kind, add one of these to the
/// table.</summary>
internal sealed record ResourceKind
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    /// <summary>The name in URLs, <c>pods</c>.</summary>
    public required string Plural { get; init; }

    public string Singular { get; init; } = "";

    public string ListKind { get; init; } = "";

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public bool Namespaced { get; init; } = true;

    /// <summary>Whether <c>/status</c> is a subresource, and so whether a plain write leaves the status alone.</summary>
    public bool HasStatus { get; init; }

    /// <summary>Whether <c>spec.finalizers</c> is written by the subresource <c>finalize</c> alone, as of namespaces.</summary>
    public bool HasFinalize => this is { Group: "", Plural: "namespaces" };

    public ScalePaths? Scale { get; init; }

    /// <summary>Subresources that are not documents: <c>log</c>, <c>proxy</c>.</summary>
    public IReadOnlyList<string> Connections { get; init; } = [];

    public IReadOnlyList<PrinterColumn> Columns { get; init; } = PrinterColumns.NameAndAge;

    public KindRules Rules { get; init; } = KindRules.None;

    public required KindSchema Schema { get; init; }

    public NameRule Names { get; init; } = NameRule.Subdomain;

    /// <summary>Fields that a field selector may name, beside metadata.name and metadata.namespace.</summary>
    public IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; init; } =
        new Dictionary<string, Func<JsonObject, string>>();

    /// <summary>Whether metadata.generation counts changes of this kind.</summary>
    public bool CountsGenerations { get; init; }

    /// <summary>Whether a PUT without resourceVersion overwrites whatever is there.</summary>
    public bool AllowsUnconditionalUpdate { get; init; } = true;

    /// <summary>Whether deletion waits for somebody (the kubelet) to confirm the end within a grace period.</summary>
    public bool DeletesGracefully { get; init; }

    /// <summary>Whether all objects can be deleted in one request.</summary>
    public bool DeletesCollections { get; init; } = true;

    /// <summary>Whether a change of annotations is a new generation too.</summary>
    public bool CountsAnnotations { get; init; }

    /// <summary>The uid of the CustomResourceDefinition that defines it; null for a built-in kind.</summary>
    public string? DefinitionUid { get; init; }

    /// <summary>What requests to a deprecated version are warned with; empty for others.</summary>
    public string Deprecation { get; init; } = "";

    /// <summary>Defined by a CustomResourceDefinition.</summary>
    public bool IsCustom => DefinitionUid is not null;

    /// <summary>Served, but not stored: it only answers creations (access reviews).</summary>
    public bool IsVirtual { get; init; }

    /// <summary>
    /// Known, but not offered: there are never any objects, and who would create one is told this, what to use instead. For kinds that
    /// tools list without being asked to, as <c>kubectl apply --prune</c> and <c>kubectl describe namespace</c> do.
    /// </summary>
    public string? Instead { get; init; }

    /// <summary>The version in which objects are stored; empty where it is this one.</summary>
    public string StorageVersion { get; init; } = "";

    public GroupResource GroupResource => new(Group, Plural);

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The form of error messages about invalid objects: <c>Deployment.apps</c>.</summary>
    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    public string SingularName => Singular.Length > 0 ? Singular : Kind.ToLowerInvariant();

    public string ListKindName => ListKind.Length > 0 ? ListKind : Kind + "List";

    public IReadOnlyList<string> Verbs => IsVirtual
        ? ["create"]
        : Instead is not null ? ["get", "list"]
        : DeletesCollections ? ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        : ["create", "delete", "get", "list", "patch", "update", "watch"];
}
