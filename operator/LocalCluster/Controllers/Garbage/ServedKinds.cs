using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Runtime;

namespace Graft.LocalCluster.Controllers.Garbage;

/// <summary>The kinds that an API server serves now, by its discovery documents.</summary>
internal static class ServedKinds
{
    /// <returns>Kinds whose objects can be listed, watched and deleted; each in one version only.</returns>
    public static async Task<IReadOnlyList<ResourceKind>> ReadAsync(ApiClient client, CancellationToken cancel)
    {
        var kinds = Kinds("", "v1", await GetAsync(client, "api/v1", cancel).ConfigureAwait(false)).ToList();
        var groups = await GetAsync(client, "apis", cancel).ConfigureAwait(false);
        foreach (var group in (groups["groups"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = (string)group["name"]!;
            var version = (string)group["preferredVersion"]!["version"]!;
            kinds.AddRange(Kinds(name, version, await GetAsync(client, $"apis/{name}/{version}", cancel).ConfigureAwait(false)));
        }
        return kinds;
    }

    private static IEnumerable<ResourceKind> Kinds(string group, string version, JsonObject document)
    {
        foreach (var resource in (document["resources"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var plural = (string)resource["name"]!;
            var verbs = (resource["verbs"] as JsonArray ?? []).Select(v => (string?)v).ToHashSet();
            // Events own nothing, are owned by nothing, and are the most.
            if (plural is "events" || plural.Contains('/', StringComparison.Ordinal) || !verbs.IsSupersetOf(["list", "watch", "delete"])) continue;
            yield return new ResourceKind(group, version, (string)resource["kind"]!, plural, (bool?)resource["namespaced"] == true);
        }
    }

    private static async Task<JsonObject> GetAsync(ApiClient client, string path, CancellationToken cancel) =>
        JsonNode.Parse(await client.GetRawAsync(path, cancel).ConfigureAwait(false)) as JsonObject ?? throw new JsonException($"/{path} is no object");
}
