using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Pods;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>What is served: the documents under <c>/api</c> and <c>/apis</c>, in the old form (one per version) and aggregated (all in
/// one).</summary>
internal sealed class Discovery(KindCatalog catalog)
{
    private readonly ConcurrentDictionary<(long Revision, bool Core, string Form), MadeDocument> _aggregated = new();

    /// <summary>Answers a path of discovery; null if it is none.</summary>
    /// <exception cref="ApiException">406: no acceptable form can be served.</exception>
    public Task? Answer(HttpContext http, string path)
    {
        var parts = path.Trim('/').Split('/');
        if (parts is ["api"] or ["apis"] && DiscoveryForm.Of(http.Request) is { IsAggregated: true } form)
        {
            http.Response.Headers.CacheControl = "public";
            return Aggregated(parts[0] == "api", form).SendAsync(http);
        }
        var body = parts switch
        {
            ["api"] => CoreVersions(http.Request.Host.ToString()),
            ["apis"] => GroupList(),
            ["apis", var group] when Groups().Contains(group) => Described(Group(group)),
            ["api", var version] when catalog.ServesVersion("", version) => Resources("", version),
            ["apis", var group, var version] when Versions(group).Contains(version) => Resources(group, version),
            _ => null,
        };
        if (body is null)
            return null;
        _ = DiscoveryForm.Of(http.Request);
        return Responses.WriteAsync(http, 200, body);
    }

    /// <summary>The paths that <c>/</c> names.</summary>
    public IEnumerable<string> Paths() =>
    [
        "/api", "/api/v1", "/apis",
        .. Groups().SelectMany(group => Versions(group).Select(version => $"/apis/{group}/{version}").Prepend($"/apis/{group}")),
    ];

    private IEnumerable<string> Groups() =>
        VersionOrder.OfGroups([.. catalog.All.Select(kind => kind.Group).Where(group => group.Length > 0), NotAvailable.MetricsGroup]);

    private List<string> Versions(string group) => group == NotAvailable.MetricsGroup
        ? [NotAvailable.MetricsVersion]
        : [.. VersionOrder.OfVersions(catalog.All.Where(kind => kind.Group == group).Select(kind => kind.Version))];

    private MadeDocument Aggregated(bool core, DiscoveryForm form)
    {
        var key = (catalog.Revision, core, form.Version);
        if (_aggregated.TryGetValue(key, out var made))
            return made;
        foreach (var old in _aggregated.Keys.Where(other => other.Revision < key.Revision))
            _aggregated.TryRemove(old, out _);
        return _aggregated[key] = MadeDocument.Of(Aggregated(core, form.Version), form.ContentType);
    }

    private JsonObject GroupList() =>
        new() { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups().Select(Group)]) };

    private static JsonObject CoreVersions(string address) => new()
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
            if (!kind.IsVirtual)
                entry["storageVersionHash"] = StorageVersionHash(kind);
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

    /// <summary>By it clients see that objects are stored in another version than before (apiserver, storageversionhash.go).</summary>
    private static string StorageVersionHash(ResourceKind kind)
    {
        var version = kind.StorageVersion.Length > 0 ? kind.StorageVersion : kind.Version;
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind.Group}/{version}/{kind.Kind}"))[..8]);
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
        if (kind.Connections.Contains("binding"))
            yield return ("binding", kind.Group, kind.Version, "Binding", ["create"]);
        if (kind.Connections.Contains("eviction"))
            yield return ("eviction", "policy", "v1", "Eviction", ["create"]);
        if (kind.HasFinalize)
            yield return ("finalize", kind.Group, kind.Version, kind.Kind, ["update"]);
        if (kind.Connections.Contains("log"))
            yield return ("log", kind.Group, kind.Version, kind.Kind, ["get"]);
        if (kind.Connections.Contains("proxy"))
            yield return ("proxy", kind.Group, kind.Version, "PodProxyOptions", ["create", "delete", "get", "patch", "update"]);
        if (kind.Scale is not null)
            yield return ("scale", "autoscaling", "v1", "Scale", ["get", "patch", "update"]);
        if (kind.HasStatus)
            yield return ("status", kind.Group, kind.Version, kind.Kind, ["get", "patch", "update"]);
        if (kind is { Group: "", Plural: "serviceaccounts" })
            yield return ("token", "authentication.k8s.io", "v1", "TokenRequest", ["create"]);
    }
}
