using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>What is served: the documents under <c>/api</c> and <c>/apis</c>, in the old form (one per version) and aggregated (all in
/// one).</summary>
internal sealed class Discovery(KindCatalog catalog, string address)
{
    private const string AggregatedMarker = "as=APIGroupDiscoveryList";

    /// <summary>The document at a path, or null if it is not one of discovery.</summary>
    public (JsonObject Body, string ContentType)? Document(string path, string accept)
    {
        var parts = path.Trim('/').Split('/');
        if (parts.Length == 1 && accept.Contains(AggregatedMarker, StringComparison.Ordinal) && parts[0] is "api" or "apis")
        {
            // v2 where it is asked for: clients before 1.30 know v2beta1 alone.
            var asksForV2 = accept.Contains("v=v2;", StringComparison.Ordinal) || accept.Contains("v=v2,", StringComparison.Ordinal);
            var version = asksForV2 ? "v2" : "v2beta1";
            return (Aggregated(parts[0] == "api", version), $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        }
        var body = parts switch
        {
            ["api"] => CoreVersions(),
            ["apis"] => GroupList(),
            ["apis", var group] when group.Length > 0 && catalog.ServesGroup(group) => Described(Group(group)),
            ["api", var version] when catalog.ServesVersion("", version) => Resources("", version),
            ["apis", var group, var version] when catalog.ServesVersion(group, version) => Resources(group, version),
            _ => null,
        };
        return body is null ? null : (body, "application/json");
    }

    private IEnumerable<string> Groups() => catalog.All.Select(kind => kind.Group).Where(group => group.Length > 0).Distinct();

    /// <summary>Stable versions first, then the newest.</summary>
    private List<string> Versions(string group) =>
    [
        .. catalog.All.Where(kind => kind.Group == group).Select(kind => kind.Version).Distinct()
            .OrderBy(version => version.Contains("alpha", StringComparison.Ordinal))
            .ThenBy(version => version.Contains("beta", StringComparison.Ordinal))
            .ThenByDescending(version => version, StringComparer.Ordinal),
    ];

    private JsonObject GroupList() =>
        new() { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups().Select(Group)]) };

    private JsonObject CoreVersions() => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address }),
    };

    private static JsonObject Described(JsonObject group)
    {
        group["kind"] = "APIGroup";
        group["apiVersion"] = "v1";
        return group;
    }

    private JsonObject Group(string group)
    {
        var versions = Versions(group)
            .Select(version => new JsonObject { ["groupVersion"] = $"{group}/{version}", ["version"] = version }).ToList();
        return new JsonObject
        {
            ["name"] = group,
            ["versions"] = new JsonArray([.. versions]),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private JsonObject Resources(string group, string version)
    {
        var resources = new JsonArray();
        foreach (var kind in catalog.All.Where(kind => kind.Group == group && kind.Version == version))
        {
            var entry = new JsonObject
            {
                ["name"] = kind.Plural,
                ["singularName"] = kind.SingularName,
                ["namespaced"] = kind.Namespaced,
                ["kind"] = kind.Kind,
                ["verbs"] = kind.Verbs.ToJsonArray(),
            };
            AddNames(entry, kind);
            resources.Add(entry);
            foreach (var sub in Subresources(kind))
            {
                resources.Add(new JsonObject
                {
                    ["name"] = $"{kind.Plural}/{sub.Name}",
                    ["singularName"] = "",
                    ["namespaced"] = kind.Namespaced,
                    ["group"] = sub.Group,
                    ["version"] = sub.Version,
                    ["kind"] = sub.Kind,
                    ["verbs"] = sub.Verbs.ToJsonArray(),
                });
            }
        }
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = resources,
        };
    }

    private JsonObject Aggregated(bool core, string version) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = $"apidiscovery.k8s.io/{version}",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. (core ? [""] : Groups()).Select(AggregatedGroup)]),
    };

    private JsonObject AggregatedGroup(string group)
    {
        var metadata = new JsonObject();
        if (group.Length > 0)
            metadata["name"] = group;
        return new JsonObject
        {
            ["metadata"] = metadata,
            ["versions"] = new JsonArray([.. Versions(group).Select(version => new JsonObject
            {
                ["version"] = version,
                ["freshness"] = "Current",
                ["resources"] = new JsonArray([.. catalog.All.Where(kind => kind.Group == group && kind.Version == version)
                    .Select(AggregatedResource)]),
            })]),
        };
    }

    private static JsonObject AggregatedResource(ResourceKind kind)
    {
        var entry = new JsonObject
        {
            ["resource"] = kind.Plural,
            ["responseKind"] = GroupVersionKind(kind.Group, kind.Version, kind.Kind),
            ["scope"] = kind.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = kind.SingularName,
            ["verbs"] = kind.Verbs.ToJsonArray(),
        };
        AddNames(entry, kind);
        var subresources = Subresources(kind).Select(sub => new JsonObject
        {
            ["subresource"] = sub.Name,
            ["responseKind"] = GroupVersionKind(sub.Group, sub.Version, sub.Kind),
            ["verbs"] = sub.Verbs.ToJsonArray(),
        }).ToList();
        if (subresources.Count > 0)
            entry["subresources"] = new JsonArray([.. subresources]);
        return entry;
    }

    private static void AddNames(JsonObject entry, ResourceKind kind)
    {
        if (kind.ShortNames.Count > 0)
            entry["shortNames"] = kind.ShortNames.ToJsonArray();
        if (kind.Categories.Count > 0)
            entry["categories"] = kind.Categories.ToJsonArray();
    }

    private static JsonObject GroupVersionKind(string group, string version, string kind) =>
        new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static IEnumerable<(string Name, string Group, string Version, string Kind, string[] Verbs)> Subresources(ResourceKind kind)
    {
        if (kind.HasStatus)
            yield return ("status", kind.Group, kind.Version, kind.Kind, ["get", "patch", "update"]);
        if (kind.Scale is not null)
            yield return ("scale", "autoscaling", "v1", "Scale", ["get", "patch", "update"]);
        if (kind is { Group: "", Plural: "serviceaccounts" })
            yield return ("token", "authentication.k8s.io", "v1", "TokenRequest", ["create"]);
        if (kind.Connections.Contains("binding"))
            yield return ("binding", kind.Group, kind.Version, "Binding", ["create"]);
        if (kind.Connections.Contains("log"))
            yield return ("log", kind.Group, kind.Version, kind.Kind, ["get"]);
        if (kind.Connections.Contains("proxy"))
            yield return ("proxy", kind.Group, kind.Version, "PodProxyOptions", ["create", "delete", "get", "patch", "update"]);
    }
}
