using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>
/// The requests by which Argo CD and Flux bring objects into a cluster, and what they conclude from the answers: argoproj/gitops-engine,
/// pkg/utils/kube/ctl.go and pkg/cache/cluster.go; fluxcd/pkg, ssa/manager_apply.go and ssa/errors/immutable.go.
/// </summary>
internal static class DeliveryTools
{
    private const string Argo = "argocd-controller";
    private const string Flux = "kustomize-controller";
    private const string DryRun = "dryRun=All&force=true";

    public static Area Area => new("What Argo CD and Flux ask",
    [
        new("Every kind that discovery calls listable and watchable is listed in pages of 500, over all namespaces", Sources.DiscoveryApi,
            async s =>
            {
                var listed = 0;
                foreach (var version in await VersionsAsync(s))
                {
                    var path = version.Contains('/', StringComparison.Ordinal) ? $"/apis/{version}" : $"/api/{version}";
                    foreach (var resource in Objects((await s.GetAsync(path)).Is(200).At("resources")))
                    {
                        var verbs = resource["verbs"]!.AsArray().Select(verb => (string?)verb).ToList();
                        if (!verbs.Contains("list") || !verbs.Contains("watch"))
                            continue;
                        var list = (await s.GetAsync($"{path}/{resource["name"]}?limit=500")).Is(200).Equal($"{version}", "apiVersion");
                        Assert.NotEmpty(list.Version);
                        Assert.IsType<JsonArray>(list.At("items"));
                        listed++;
                    }
                }
                Assert.True(listed > 10);
            }),
        new("What was listed is watched on from there, with bookmarks", Sources.Bookmarks, async s =>
        {
            await s.WidgetAsync("a");
            var list = (await s.GetAsync($"{s.Widgets}?limit=500")).Is(200);
            using var watch = await s.WatchAsync(s.Widgets, $"allowWatchBookmarks=true&resourceVersion={list.Version}");

            await s.WidgetAsync("b");

            (await watch.NextChangeAsync()).Is("ADDED", "b");
        }),
        new("A dry-run apply answers what would be, with defaults, and changes nothing", Sources.DryRun, async s =>
        {
            var before = await s.WidgetAsync("a", """{"replicas": 1}""");
            var wanted = s.Server.Widgets.Make("a", """{"replicas": 2}""");

            (await s.ApplyAsync(s.Widget("a"), wanted, Argo, DryRun)).Is(200).Equal(2, "spec", "replicas").Equal("Slow", "spec", "mode");

            (await s.GetAsync(s.Widget("a"))).Is(200).Equal(1, "spec", "replicas").Equal(before.Version, "metadata", "resourceVersion");
        }),
        new("A dry-run apply of what is there already differs in nothing", Sources.DryRun, async s =>
        {
            var wanted = Make.Deployment("a");
            var there = (await s.ApplyAsync(s.Deployment("a"), wanted, Flux, "force=true")).Is(201);

            var again = (await s.ApplyAsync(s.Deployment("a"), wanted, Flux, DryRun)).Is(200);

            Assert.True(JsonNode.DeepEquals(there.At("spec"), again.At("spec")), again.Body);
            Assert.True(JsonNode.DeepEquals(there.At("metadata", "labels"), again.At("metadata", "labels")), again.Body);
            again.Equal(there.Uid, "metadata", "uid");
        }),
        new("A dry-run apply of what is not there has no resourceVersion", Sources.DryRun, async s =>
        {
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a"), Flux, DryRun)).Is(201).Absent("metadata", "resourceVersion");

            (await s.GetAsync(s.ConfigMap("a"))).Is(404);
        }),
        new("A dry-run apply over an immutable field is refused with words by which Flux makes the object anew", Sources.DryRun, async s =>
        {
            await s.DeploymentAsync("a");
            var wanted = Make.Deployment("a").With("b", "spec", "selector", "matchLabels", "app")
                .With("b", "spec", "template", "metadata", "labels", "app");

            (await s.ApplyAsync(s.Deployment("a"), wanted, Flux, DryRun)).Refuses(422, "Invalid", "field is immutable");

            await s.DeleteAsync(s.Deployment("a"), """{"propagationPolicy": "Background"}""");
            await s.GoneAsync(s.Deployment("a"));
            (await s.ApplyAsync(s.Deployment("a"), wanted, Flux, "force=true")).Is(201);
        }),
        new("A dry-run apply into a namespace that is not there is not found", Sources.DryRun, async s => (await s.ApplyAsync(
                $"/api/v1/namespaces/{s.Name}-none/configmaps/a", Make.ConfigMap("a"), Flux, DryRun))
            .Refuses(404, "NotFound", $"namespaces \"{s.Name}-none\" not found")),
    ]);

    /// <summary>The preferred version of each group, as Argo CD takes it.</summary>
    private static async Task<IReadOnlyList<string>> VersionsAsync(Space s) =>
    [
        "v1",
        .. Objects((await s.GetAsync("/apis")).Is(200).At("groups"))
            // Other groups come and go with other cases, or are served elsewhere.
            .Where(group => ((string)group["name"]!) is var name && (name == s.Server.Widgets.Group
                || name is "apps" or "batch" or "coordination.k8s.io" or "discovery.k8s.io" or "rbac.authorization.k8s.io" or "storage.k8s.io"
                    or "apiextensions.k8s.io" or "policy" or "networking.k8s.io"))
            .Select(group => (string)group["preferredVersion"]!["groupVersion"]!),
    ];

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => (node as JsonArray ?? []).OfType<JsonObject>();
}
