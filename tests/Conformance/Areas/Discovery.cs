using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Discovery
{
    private const string Version2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    private const string Beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    private const string AsKubectl = $"{Version2},{Beta},application/json";

    public static Area Area => new("Discovery", [.. Single, .. Aggregated, .. Custom]);

    private static IEnumerable<Case> Single =>
    [
        new("/api names the versions of the core group", Sources.DiscoveryApi, async s =>
        {
            var versions = (await s.GetAsync("/api")).Is(200).Equal("APIVersions", "kind").Equal("v1", "versions", "0");
            Assert.NotEmpty(versions.Text("serverAddressByClientCIDRs", "0", "serverAddress"));
        }),
        new("/apis names the groups, each with its versions and the preferred one", Sources.DiscoveryApi, async s =>
        {
            var groups = (await s.GetAsync("/apis")).Is(200).Equal("APIGroupList", "kind").Equal("v1", "apiVersion");

            Assert.All(Objects(groups.At("groups")), group =>
            {
                var versions = Objects(group["versions"]).Select(v => (string)v["groupVersion"]!).ToList();
                Assert.Equal(versions[0], (string?)group["preferredVersion"]!["groupVersion"]);
                Assert.All(versions, version => Assert.StartsWith($"{group["name"]}/", version, StringComparison.Ordinal));
            });
        }),
        new("/apis/GROUP is one group", Sources.DiscoveryApi, async s => (await s.GetAsync("/apis/apps")).Is(200)
            .Equal("APIGroup", "kind").Equal("v1", "apiVersion").Equal("apps", "name").Equal("apps/v1", "preferredVersion", "groupVersion")),
        new("/apis/GROUP/VERSION lists the resources of a version", Sources.DiscoveryApi, async s =>
        {
            var list = (await s.GetAsync("/apis/apps/v1")).Is(200).Equal("APIResourceList", "kind").Equal("v1", "apiVersion")
                .Equal("apps/v1", "groupVersion");
            var deployments = Resource(list, "deployments");
            Assert.Equal(("deployment", "Deployment", true),
                ((string?)deployments["singularName"], (string?)deployments["kind"], (bool)deployments["namespaced"]!));
            Assert.Equal(["deploy"], Texts(deployments["shortNames"]));
            Assert.Equal(["all"], Texts(deployments["categories"]));
        }),
        new("/api/v1 lists the resources of the core group", Sources.DiscoveryApi, async s =>
        {
            var list = (await s.GetAsync("/api/v1")).Is(200).Equal("v1", "groupVersion");
            Assert.Equal(["po"], Texts(Resource(list, "pods")["shortNames"]));
            Assert.False((bool)Resource(list, "nodes")["namespaced"]!);
        }),
        new("A resource says its verbs", Sources.DiscoveryApi, async s => Assert.Equal(
            ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            Texts(Resource((await s.GetAsync("/api/v1")).Is(200), "configmaps")["verbs"]).Order(StringComparer.Ordinal))),
        new("Namespaces do not have the verb deletecollection", Sources.DiscoveryApi, async s => Assert.DoesNotContain("deletecollection",
            Texts(Resource((await s.GetAsync("/api/v1")).Is(200), "namespaces")["verbs"]))),
        new("A review can only be created", Sources.DiscoveryApi, async s => Assert.Equal(["create"],
            Texts(Resource((await s.GetAsync("/apis/authorization.k8s.io/v1")).Is(200), "selfsubjectaccessreviews")["verbs"]))),
        new("Subresources stand beside their resource, with the kind that they speak", Sources.DiscoveryApi, async s =>
        {
            var list = (await s.GetAsync("/apis/apps/v1")).Is(200);
            Assert.Equal("Deployment", (string?)Resource(list, "deployments/status")["kind"]);
            var scale = Resource(list, "deployments/scale");
            Assert.Equal(("autoscaling", "v1", "Scale"), ((string?)scale["group"], (string?)scale["version"], (string?)scale["kind"]));
            Assert.Equal(["get", "patch", "update"], Texts(scale["verbs"]).Order(StringComparer.Ordinal));
        }),
        new("A subresource has an empty singular name", Sources.DiscoveryApi, async s => Assert.Equal("",
            (string?)Resource((await s.GetAsync("/apis/apps/v1")).Is(200), "deployments/status")["singularName"])),
        new("The hash of the version in which a kind is stored is that of its group, version and kind", Sources.StorageVersionHash, async s =>
            Assert.Equal(Hash("/v1/Pod"), (string?)Resource((await s.GetAsync("/api/v1")).Is(200), "pods")["storageVersionHash"])),
        new("Groups stand in the order of their priority", Sources.GroupPriorities, async s =>
        {
            var names = Objects((await s.GetAsync("/apis")).Is(200).At("groups")).Select(group => (string?)group["name"]);
            string[] ordered =
            [
                "apps", "authorization.k8s.io", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io", "coordination.k8s.io",
                "discovery.k8s.io", s.Server.Widgets.Group,
            ];
            Assert.Equal(ordered, names.Where(ordered.Contains));
        }),
        new("A group that there is not is not found", Sources.DiscoveryApi, async s => (await s.GetAsync("/apis/nosuch.example.com")).Is(404)),
        new("A version that there is not is not found", Sources.DiscoveryApi, async s => (await s.GetAsync("/apis/apps/v9")).Is(404)),
    ];

    private static IEnumerable<Case> Aggregated =>
    [
        AllIn("v2", Version2),
        AllIn("v2beta1", Beta),
        new("/api is aggregated to the core group, which has no name", Sources.AggregatedDiscovery, async s =>
        {
            var core = Assert.Single(Objects((await s.GetAsync("/api", Version2)).Is(200).At("items")));
            Assert.Null(core["metadata"]!["name"]);
            Assert.Contains(Objects(core["versions"]![0]!["resources"]), r => (string?)r["resource"] == "pods");
        }),
        new("An aggregated resource says kind, scope, singular, verbs, short names, categories and subresources", Sources.AggregatedDiscovery,
            async s =>
            {
                var found = await AggregatedAsync(s, "apps", "deployments");
                Assert.Equal(("Deployment", "apps", "v1"), Kind(found["responseKind"]));
                Assert.Equal(("Namespaced", "deployment"), ((string?)found["scope"], (string?)found["singularResource"]));
                Assert.Contains("watch", Texts(found["verbs"]));
                Assert.Equal(["deploy"], Texts(found["shortNames"]));
                Assert.Equal(["all"], Texts(found["categories"]));
                var scale = Objects(found["subresources"]).Single(sub => (string?)sub["subresource"] == "scale");
                Assert.Equal(("Scale", "autoscaling", "v1"), Kind(scale["responseKind"]));
            }),
        new("A version of an aggregated group says that it is current", Sources.AggregatedHandler, async s =>
        {
            var apps = Objects((await s.GetAsync("/apis", Version2)).Is(200).At("items")).Single(g => (string?)g["metadata"]!["name"] == "apps");
            Assert.Equal(("v1", "Current"), ((string?)apps["versions"]![0]!["version"], (string?)apps["versions"]![0]!["freshness"]));
        }),
        new("The newest form is taken of those that are acceptable alike", Sources.AggregatedWrapper, async s =>
            (await s.GetAsync("/apis", AsKubectl)).Is(200).Equal("apidiscovery.k8s.io/v2", "apiVersion")),
        new("A form of discovery that is not known is passed over", Sources.AggregatedWrapper, async s => (await s.GetAsync("/apis",
                "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json")).Is(200).Equal("APIGroupList", "kind")),
        new("Without a form in Accept discovery is not aggregated", Sources.AggregatedDiscovery, async s =>
            (await s.GetAsync("/apis", accept: null)).Is(200).Equal("APIGroupList", "kind")),
        new("One group is never aggregated", Sources.AggregatedDiscovery, async s =>
            (await s.GetAsync("/apis/apps", AsKubectl)).Is(200).Equal("APIGroup", "kind")),
        new("An aggregated document has a tag and varies by Accept", Sources.AggregatedTag, async s =>
        {
            var answer = (await s.GetAsync("/api", Version2)).Is(200);
            Assert.Matches("^\"[0-9A-F]{128}\"$", answer.Headers["ETag"]);
            Assert.Contains("Accept", answer.Headers["Vary"].Split(", "));
            Assert.Equal("public", answer.Headers["Cache-Control"]);
        }),
        new("Who has the document of a tag is answered with 304 and nothing", Sources.AggregatedTag, async s =>
        {
            var tag = (await s.GetAsync("/api", Version2)).Is(200).Headers["ETag"];
            var again = (await s.GetUnlessAsync("/api", tag, Version2)).Is(304);
            Assert.Equal(("", tag), (again.Body, again.Headers["ETag"]));
        }),
        new("Who has another document is answered with this one", Sources.AggregatedTag, async s =>
            (await s.GetUnlessAsync("/api", "\"00\"", Version2)).Is(200).Equal("APIGroupDiscoveryList", "kind")),
        new("Both forms of discovery name the same resources", Sources.DiscoveryApi, async s =>
        {
            var single = Objects((await s.GetAsync("/apis/batch/v1")).Is(200).At("resources")).Select(r => (string)r["name"]!);
            var batch = Objects((await s.GetAsync("/apis", Version2)).Is(200).At("items")).Single(g => (string?)g["metadata"]!["name"] == "batch");
            var aggregated = Objects(batch["versions"]![0]!["resources"]).SelectMany(r => Objects(r["subresources"])
                .Select(sub => $"{r["resource"]}/{sub["subresource"]}").Prepend((string)r["resource"]!));
            Assert.Equal(single.Order(StringComparer.Ordinal), aggregated.Order(StringComparer.Ordinal));
        }),
    ];

    private static IEnumerable<Case> Custom =>
    [
        new("A custom kind is discovered with the names and subresources of its definition", Sources.CustomDiscovery, async s =>
        {
            var list = (await s.GetAsync($"/apis/{s.Server.Widgets.ApiVersion}")).Is(200);
            var widgets = Resource(list, "widgets");
            Assert.Equal(("widget", "Widget", true), ((string?)widgets["singularName"], (string?)widgets["kind"], (bool)widgets["namespaced"]!));
            Assert.Equal("Widget", (string?)Resource(list, "widgets/status")["kind"]);
            Assert.Equal("Scale", (string?)Resource(list, "widgets/scale")["kind"]);
            Assert.Equal(Hash($"{s.Server.Widgets.ApiVersion}/Widget"), (string?)widgets["storageVersionHash"]);
        }),
        new("A custom kind is part of the aggregated document", Sources.AggregatedDiscovery, async s =>
            Assert.Equal("widget", (string?)(await AggregatedAsync(s, s.Server.Widgets.Group, "widgets"))["singularResource"])),
        new("A definition appears in discovery when it is made, changes the tag, and goes with it", Sources.CustomDiscovery, async s =>
        {
            var group = $"{s.Name}.graft.dev";
            var before = (await s.GetAsync("/apis", Version2)).Is(200).Headers["ETag"];
            (await s.PostAsync(Widgets.Definitions, Versioned(group, ["v1"]))).Is(201);
            await s.UntilAsync("the group is discovered", async () => (await s.GetAsync($"/apis/{group}")).Code == 200);
            await s.UntilAsync("the group is in the aggregated document", async () => (await GroupsAsync(s)).Contains(group));
            Assert.NotEqual(before, (await s.GetAsync("/apis", Version2)).Is(200).Headers["ETag"]);

            await s.DeleteAsync($"{Widgets.Definitions}/gears.{group}");

            await s.UntilAsync("the group is gone", async () => (await s.GetAsync($"/apis/{group}")).Code == 404);
            await s.UntilAsync("the group is no longer in the aggregated document", async () => !(await GroupsAsync(s)).Contains(group));
        }),
        new("Versions stand in the order of their stability and number", Sources.CustomDiscovery, async s =>
        {
            var group = $"{s.Name}.graft.dev";
            (await s.PostAsync(Widgets.Definitions, Versioned(group, ["v1alpha1", "v1beta2", "v2", "foo1", "v10", "v1beta10"]))).Is(201);
            try
            {
                IReadOnlyList<string> versions = [];
                await s.UntilAsync("all versions are discovered", async () =>
                {
                    var answer = await s.GetAsync($"/apis/{group}");
                    versions = answer.Code == 200 ? [.. Objects(answer.At("versions")).Select(v => (string)v["version"]!)] : [];
                    return versions.Count == 6;
                });
                Assert.Equal(["v10", "v2", "v1beta10", "v1beta2", "v1alpha1", "foo1"], versions);
            }
            finally
            {
                await s.DeleteAsync($"{Widgets.Definitions}/gears.{group}");
            }
        }),
    ];

    private static Case AllIn(string version, string form) =>
        new($"/apis in version {version} has all groups with all resources", Sources.AggregatedDiscovery, async s =>
        {
            var list = (await s.GetAsync("/apis", form)).Is(200).Equal("APIGroupDiscoveryList", "kind")
                .Equal($"apidiscovery.k8s.io/{version}", "apiVersion");
            var apps = Objects(list.At("items")).Single(group => (string?)group["metadata"]!["name"] == "apps");
            Assert.Contains(Objects(apps["versions"]![0]!["resources"]), r => (string?)r["resource"] == "deployments");
            Assert.Contains($"v={version};", list.Headers["Content-Type"].Replace(" ", "", StringComparison.Ordinal) + ";", StringComparison.Ordinal);
        });

    /// <summary>The first version is the stored one.</summary>
    private static JsonObject Versioned(string group, string[] versions) => Json.Object($$$"""
        {
          "apiVersion": "apiextensions.k8s.io/v1",
          "kind": "CustomResourceDefinition",
          "metadata": {"name": "gears.{{{group}}}"},
          "spec": {"group": "{{{group}}}", "scope": "Namespaced", "names": {"plural": "gears", "kind": "Gear"}}
        }
        """).With(new JsonArray([.. versions.Select((version, i) => new JsonObject
        {
            ["name"] = version,
            ["served"] = true,
            ["storage"] = i == 0,
            ["schema"] = Json.Object("""{"openAPIV3Schema": {"type": "object"}}"""),
        })]), "spec", "versions");

    private static async Task<IReadOnlyList<string?>> GroupsAsync(Space s) =>
        [.. Objects((await s.GetAsync("/apis", Version2)).Is(200).At("items")).Select(group => (string?)group["metadata"]!["name"])];

    private static async Task<JsonObject> AggregatedAsync(Space s, string group, string resource)
    {
        var list = (await s.GetAsync("/apis", Version2)).Is(200);
        var found = Objects(list.At("items")).Single(g => (string?)g["metadata"]!["name"] == group);
        return Objects(found["versions"]![0]!["resources"]).Single(r => (string?)r["resource"] == resource);
    }

    private static (string?, string?, string?) Kind(JsonNode? node) =>
        ((string?)node!["kind"], (string?)node["group"], (string?)node["version"]);

    private static string Hash(string groupVersionKind) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(groupVersionKind))[..8]);

    private static JsonObject Resource(Answer list, string name) => Objects(list.At("resources")).Single(r => (string?)r["name"] == name);

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => (node as JsonArray ?? []).OfType<JsonObject>();

    private static IReadOnlyList<string> Texts(JsonNode? node) => [.. (node as JsonArray ?? []).Select(text => (string)text!)];
}
