using System.Text.Json.Nodes;
using Graft.Runtime;

namespace Graft.LocalCluster.Controllers.Garbage;

/// <param name="BlocksDeletion">The owner, when deleted in the foreground, waits for this dependent.</param>
internal sealed record OwnerLink(string ApiVersion, string Kind, string Name, string Uid, bool BlocksDeletion)
{
    public string Group => ApiVersion.Contains('/', StringComparison.Ordinal) ? ApiVersion.Split('/')[0] : "";
}

/// <summary>What garbage collection knows of an object.</summary>
internal sealed record ObjectNode(
    ResourceKind Kind, string Namespace, string Name, string Uid, string ResourceVersion, IReadOnlyList<OwnerLink> Owners,
    IReadOnlyList<string> Finalizers, bool IsDeleting)
{
    /// <summary>Set by the API server when an object is deleted with this propagation policy.</summary>
    public const string ForegroundFinalizer = "foregroundDeletion";

    /// <inheritdoc cref="ForegroundFinalizer"/>
    public const string OrphanFinalizer = "orphan";

    public bool WaitsForDependents => IsDeleting && Finalizers.Contains(ForegroundFinalizer);

    public bool OrphansDependents => IsDeleting && Finalizers.Contains(OrphanFinalizer);

    public static ObjectNode Of(ResourceKind kind, JsonObject obj)
    {
        var meta = obj["metadata"]!.AsObject();
        return new ObjectNode(
            kind, Text(meta, "namespace"), Text(meta, "name"), Text(meta, "uid"), Text(meta, "resourceVersion"),
            [.. (meta["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>().Select(Link)],
            [.. (meta["finalizers"] as JsonArray ?? []).Select(f => (string?)f ?? "")],
            meta["deletionTimestamp"] is not null);
    }

    private static OwnerLink Link(JsonObject owner) => new(
        Text(owner, "apiVersion"), Text(owner, "kind"), Text(owner, "name"), Text(owner, "uid"), (bool?)owner["blockOwnerDeletion"] == true);

    private static string Text(JsonObject from, string name) => (string?)from[name] ?? "";
}
