using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Deployments
{
    private const string Hash = "pod-template-hash";
    private const string Revision = "deployment.kubernetes.io/revision";

    public static Area Area => new("Deployments, ReplicaSets and EndpointSlices",
    [
        Case.Refused("A rolling update may not wait for both more and fewer pods", Sources.AppsValidation,
            s => s.PostAsync(s.Deployments, Make.Deployment("a", """
                "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}
                """)), 422, "Invalid", "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0 when `maxSurge` is 0"),
        Case.Refused("A strategy is Recreate or RollingUpdate", Sources.AppsValidation,
            s => s.PostAsync(s.Deployments, Make.Deployment("a", "\"strategy\": {\"type\": \"Other\"}")), 422, "Invalid", "spec.strategy.type"),
        Case.Refused("No more than all pods may be unavailable", Sources.AppsValidation,
            s => s.PostAsync(s.Deployments, Make.Deployment("a", "\"strategy\": {\"rollingUpdate\": {\"maxUnavailable\": \"101%\"}}")), 422, "Invalid",
            "must not be greater than 100%"),
        Case.Refused("The progress deadline is longer than pods have to be ready", Sources.AppsValidation,
            s => s.PostAsync(s.Deployments, Make.Deployment("a", "\"minReadySeconds\": 10, \"progressDeadlineSeconds\": 10")), 422, "Invalid",
            "must be greater than minReadySeconds"),
        new("The selector of a Deployment cannot be changed", Sources.AppsValidation, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.PatchAsync(s.Deployment("a"), "json", """
                [{"op": "add", "path": "/spec/selector/matchLabels/b", "value": "c"}, {"op": "add", "path": "/spec/template/metadata/labels/b", "value": "c"}]
                """)).Refuses(422, "Invalid", "field is immutable").Blames("spec.selector", "FieldValueInvalid");
        }),
        Pods("A Deployment has a ReplicaSet whose name, selector and pods bear the hash of the template", Sources.PodTemplateHash, async s =>
        {
            await CreateAsync(s, 1);
            await AvailableAsync(s);

            var set = (await s.GetAsync(Sets(s))).Is(200).Items.Single();
            var hash = (string?)set["metadata"]!["labels"]![Hash];
            Assert.Equal($"a-{hash}", (string?)set["metadata"]!["name"]);
            Assert.Equal(hash, (string?)set["spec"]!["selector"]!["matchLabels"]![Hash]);
            Assert.Equal(hash, (string?)(await s.GetAsync(s.Pods)).Items.Single()["metadata"]!["labels"]![Hash]);
        }),
        Pods("A Deployment through its rollout says NewReplicaSetAvailable and MinimumReplicasAvailable", Sources.DeploymentStatus, async s =>
        {
            await CreateAsync(s, 1);

            var deployment = await AvailableAsync(s);
            Assert.Equal("MinimumReplicasAvailable", Reason(deployment, "Available"));
            deployment.Equal(1, "status", "updatedReplicas").Equal(1, "status", "readyReplicas").Equal("1", "metadata", "annotations", Revision);
        }),
        Pods("Scaling is told in an event", Sources.Deployments, async s =>
        {
            await CreateAsync(s, 1);
            await AvailableAsync(s);

            await s.UntilAsync("there is an event ScalingReplicaSet", async () =>
                (await s.GetAsync($"{s.Core("events")}?fieldSelector=involvedObject.kind%3DDeployment,reason%3DScalingReplicaSet")).Is(200).Items
                    .Any(e => ((string?)e["message"])!.StartsWith("Scaled up replica set a-", StringComparison.Ordinal)));
        }),
        Pods("A new template is a new revision, and the old ReplicaSet stays without pods", Sources.Deployments, async s =>
        {
            await CreateAsync(s, 1);
            await AvailableAsync(s);

            await ChangeAsync(s, "2");
            var deployment = await AvailableAsync(s);

            deployment.Equal("2", "metadata", "annotations", Revision);
            var sets = (await s.GetAsync(Sets(s))).Is(200).Items.ToDictionary(i => (string)i["metadata"]!["annotations"]![Revision]!);
            Assert.Equal(0, (int?)sets["1"]["spec"]!["replicas"]);
            Assert.Equal(1, (int?)sets["2"]["spec"]!["replicas"]);
        }),
        Pods("Going back to an earlier template takes its ReplicaSet up again, as a new revision", Sources.RollingBack, async s =>
        {
            await CreateAsync(s, 1);
            await AvailableAsync(s);
            await ChangeAsync(s, "2");
            await AvailableAsync(s);

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"spec": {"template": {"metadata": {"annotations": null}}}}""")).Is(200);
            var deployment = await AvailableAsync(s);

            deployment.Equal("3", "metadata", "annotations", Revision);
            Assert.Equal(2, (await s.GetAsync(Sets(s))).Is(200).Items.Count);
        }),
        Pods("A paused Deployment does not roll, and says so", Sources.PausedDeployments, async s =>
        {
            await CreateAsync(s, 1, "\"paused\": true");

            await s.UntilAsync("it is paused", async () => Reason(await s.GetAsync(s.Deployment("a")), "Progressing") == "DeploymentPaused");
            Assert.Empty((await s.GetAsync(s.Pods)).Is(200).Items);
        }),
        Pods("A rollout that does not progress in time says ProgressDeadlineExceeded", Sources.DeploymentStatus, async s =>
        {
            (await s.PostAsync(s.Deployments, Make.Deployment("a", "\"progressDeadlineSeconds\": 1").With(1, "spec", "replicas"))).Is(201);

            await s.UntilAsync("the deadline is passed", async () =>
                Reason(await s.GetAsync(s.Deployment("a")), "Progressing") == "ProgressDeadlineExceeded");
            Assert.Equal("MinimumReplicasUnavailable", Reason(await s.GetAsync(s.Deployment("a")), "Available"));
        }),
        Pods("A ReplicaSet replaces a pod that is deleted", Sources.ReplicaSets, async s =>
        {
            await CreateAsync(s, 1);
            await AvailableAsync(s);
            var first = (await s.GetAsync(s.Pods)).Is(200).Names.Single();

            (await s.DeleteAsync($"{s.Pods}/{first}")).Is(200);

            await s.UntilAsync("another pod is there", async () => (await s.GetAsync(s.Pods)).Is(200).Names.Any(name => name != first));
        }),
        Pods("A ReplicaSet takes a pod that it selects and nobody controls", Sources.ReplicaSets, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("own", s.Server.ShellImage, "sleep 600").With("a", "metadata", "labels", "app"))).Is(201);

            var set = await SetAsync(s, 1);

            await s.UntilAsync("the pod is the set's", async () =>
                (string?)(await s.GetAsync($"{s.Pods}/own")).Is(200).At("metadata", "ownerReferences", "0", "uid") == set.Uid);
            Assert.Single((await s.GetAsync(s.Pods)).Is(200).Items);
        }),
        Pods("A ReplicaSet lets a pod go that it selects no longer, and makes another", Sources.ReplicaSets, async s =>
        {
            await SetAsync(s, 1);
            await s.UntilAsync("a pod is there", async () => (await s.GetAsync(s.Pods)).Is(200).Items.Count == 1);
            var first = (await s.GetAsync(s.Pods)).Names.Single();

            (await s.PatchAsync($"{s.Pods}/{first}", "merge", """{"metadata": {"labels": {"app": "other"}}}""")).Is(200);

            await s.UntilAsync("the pod is nobody's", async () => (await s.GetAsync($"{s.Pods}/{first}")).Is(200).At("metadata", "ownerReferences") is null);
            await s.UntilAsync("another pod is there", async () => (await s.GetAsync(s.Pods)).Is(200).Items.Count == 2);
        }),
        Pods("Of pods that are equally ready the one with the lowest deletion cost goes first", Sources.PodDeletionCost, async s =>
        {
            await CreateAsync(s, 2);
            await AvailableAsync(s, 2);
            var cheap = (await s.GetAsync(s.Pods)).Is(200).Names[0];
            (await s.PatchAsync($"{s.Pods}/{cheap}", "merge",
                """{"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}}""")).Is(200);

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"spec": {"replicas": 1}}""")).Is(200);

            await s.GoneAsync($"{s.Pods}/{cheap}");
        }),
        Pods("A Service has an EndpointSlice with the pods that it selects, whether they are ready, and their node", Sources.EndpointSlices, async s =>
        {
            (await s.PostAsync(s.Services, Make.Service("web").With("a", "spec", "selector", "app"))).Is(201);
            await CreateAsync(s, 1);
            await AvailableAsync(s);

            JsonObject? slice = null;
            await s.UntilAsync("the pod is in the slice", async () => (slice = (await s.GetAsync(
                $"/apis/discovery.k8s.io/v1/namespaces/{s.Name}/endpointslices?labelSelector=kubernetes.io/service-name%3Dweb")).Is(200).Items
                .FirstOrDefault(i => i["endpoints"] is JsonArray { Count: 1 } all && (bool?)all[0]!["conditions"]!["ready"] == true)) is not null);
            Assert.Equal("endpointslice-controller.k8s.io", (string?)slice!["metadata"]!["labels"]!["endpointslice.kubernetes.io/managed-by"]);
            Assert.Equal((await s.GetAsync(s.Pods)).Names.Single(), (string?)slice["endpoints"]![0]!["targetRef"]!["name"]);
            Assert.NotNull(slice["endpoints"]![0]!["nodeName"]);
            Assert.Equal(80, (int?)slice["ports"]![0]!["port"]);
        }),
    ]);

    private static string Sets(Space s) => $"/apis/apps/v1/namespaces/{s.Name}/replicasets";

    private static async Task CreateAsync(Space s, int replicas, string extra = "")
    {
        var deployment = Make.Deployment("a", extra).With(replicas, "spec", "replicas").With(Template(s), "spec", "template", "spec");
        (await s.PostAsync(s.Deployments, deployment)).Is(201);
    }

    private static async Task<Answer> SetAsync(Space s, int replicas)
    {
        var set = Make.Deployment("a").With(replicas, "spec", "replicas").With(Template(s), "spec", "template", "spec").With("ReplicaSet", "kind");
        return (await s.PostAsync(Sets(s), set)).Is(201);
    }

    private static JsonNode Template(Space s) => Make.Pod("x", s.Server.ShellImage, "sleep 600")["spec"]!.AsObject().Without("restartPolicy")
        .With(1, "terminationGracePeriodSeconds").DeepClone();

    private static async Task ChangeAsync(Space s, string value) =>
        (await s.PatchAsync(s.Deployment("a"), "merge", Json.Object("{}").With(value, "spec", "template", "metadata", "annotations", "v").ToJsonString())).Is(200);

    private static string? Reason(Answer deployment, string type) => (string?)(deployment.At("status", "conditions") as JsonArray ?? [])
        .FirstOrDefault(c => (string?)c!["type"] == type)?["reason"];

    /// <summary>The Deployment once its current generation is rolled out.</summary>
    private static async Task<Answer> AvailableAsync(Space s, int replicas = 1)
    {
        Answer? deployment = null;
        await s.UntilAsync("the rollout is through", async () =>
        {
            deployment = (await s.GetAsync(s.Deployment("a"))).Is(200);
            return (long?)deployment.At("status", "observedGeneration") == (long?)deployment.At("metadata", "generation")
                && (int?)deployment.At("status", "replicas") == replicas && (int?)deployment.At("status", "updatedReplicas") == replicas
                && (int?)deployment.At("status", "availableReplicas") == replicas && Reason(deployment, "Progressing") == "NewReplicaSetAvailable";
        });
        return deployment!;
    }

    private static Case Pods(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Pods };
}
