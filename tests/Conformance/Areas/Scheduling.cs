using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>
/// What a scheduler decides about nodes of the cases' own: Node objects without a kubelet, which nobody else's pods are drawn to because
/// they are tainted. Nothing runs on them, so only decisions are observed.
/// </summary>
internal static class Scheduling
{
    public static Area Area => new("Scheduling",
    [
        Case("A pod that nothing can take stays Pending with the condition PodScheduled False, reason Unschedulable", Sources.SchedulerEviction, async s =>
        {
            await CreateAsync(s, Pod("a", s, "none"));

            await RefusedAsync(s, "a", "nodes are available", "didn't match Pod's node affinity/selector");
            (await s.GetAsync($"{s.Pods}/a")).Is(200).Equal("Pending", "status", "phase").Absent("spec", "nodeName");
        }),
        Case("What cannot be scheduled is told in an event FailedScheduling", Sources.DebugPods, async s =>
        {
            await CreateAsync(s, Pod("a", s, "none"));

            await EventAsync(s, "a", "FailedScheduling", "Warning", "nodes are available");
        }),
        Case("A pod goes to the node that has its devices, and the event Scheduled says so", Sources.ExtendedResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("nvidia.com/gpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Asking("nvidia.com/gpu", "1"));

            await BoundAsync(s, "a", node.Name);
            await EventAsync(s, "a", "Scheduled", "Normal", $"Successfully assigned {s.Name}/a to {node.Name}");
        }),
        Case("A bound pod has the condition PodScheduled True", Sources.PodConditions, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name));

            await BoundAsync(s, "a", node.Name);
            Assert.Equal("True", (string?)Condition(await s.GetAsync($"{s.Pods}/a"), "PodScheduled")?["status"]);
        }),
        Case("More devices than a node has are Insufficient by name", Sources.ExtendedResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("nvidia.com/gpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Asking("nvidia.com/gpu", "2"));

            await RefusedAsync(s, "a", "1 Insufficient nvidia.com/gpu");
        }),
        Case("Slices of a device are counted as resources of their own", Sources.ExtendedResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("nvidia.com/mig-1g.5gb", "2"));
            await CreateAsync(s, Pod("a", s, node.Name).Asking("nvidia.com/mig-1g.5gb", "2"));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name).Asking("nvidia.com/mig-1g.5gb", "1"));

            await RefusedAsync(s, "b", "1 Insufficient nvidia.com/mig-1g.5gb");
        }),
        Case("A device that another pod held is given to the pod that waits for it", Sources.ExtendedResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("nvidia.com/gpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Asking("nvidia.com/gpu", "1"));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name).Asking("nvidia.com/gpu", "1"));
            await RefusedAsync(s, "b", "1 Insufficient nvidia.com/gpu");

            (await s.DeleteAsync($"{s.Pods}/a", Now)).Is(200);

            await BoundAsync(s, "b", node.Name);
        }),
        Case("Requests of cpu and memory are held against what a node can allocate", Sources.PodScheduling, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("cpu", "1"), ("memory", "1Gi"));
            await CreateAsync(s, Pod("a", s, node.Name).Requesting("cpu", "1500m").Requesting("memory", "2Gi"));

            await RefusedAsync(s, "a", "1 Insufficient cpu", "1 Insufficient memory");
        }),
        Case("What pods request together has to fit", Sources.PodScheduling, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("cpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Requesting("cpu", "600m"));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name).Requesting("cpu", "600m"));

            await RefusedAsync(s, "b", "1 Insufficient cpu");
        }),
        Case("A node takes no more pods than it allows", Sources.Fit, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("pods", "1"));
            await CreateAsync(s, Pod("a", s, node.Name));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name));

            await RefusedAsync(s, "b", "1 Too many pods");
        }),
        Case("The largest request of an init container counts where it is more than that of the containers", Sources.InitResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("cpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Requesting("cpu", "100m").With(Json.Object("""
                {"l": [{"name": "i", "image": "graft.invalid/none:1", "resources": {"requests": {"cpu": "2"}}}]}
                """)["l"]!.DeepClone(), "spec", "initContainers"));

            await RefusedAsync(s, "a", "1 Insufficient cpu");
        }),
        Case("A sidecar's request counts beside that of the containers", Sources.SidecarResources, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s, ("cpu", "1"));
            await CreateAsync(s, Pod("a", s, node.Name).Requesting("cpu", "600m").With(Json.Object("""
                {"l": [{"name": "i", "image": "graft.invalid/none:1", "restartPolicy": "Always", "resources": {"requests": {"cpu": "600m"}}}]}
                """)["l"]!.DeepClone(), "spec", "initContainers"));

            await RefusedAsync(s, "a", "1 Insufficient cpu");
        }),
        Case("A taint that is not tolerated keeps a pod away", Sources.TaintPage, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).Without("spec", "tolerations"));

            await RefusedAsync(s, "a", "had untolerated taint");
        }),
        Case("A toleration of another value does not help", Sources.TaintPage, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            var pod = Pod("a", s, node.Name);
            pod["spec"]!["tolerations"] = new JsonArray(Json.Object($$"""
                {"key": "{{OwnNode.TaintKey}}", "operator": "Equal", "value": "other", "effect": "NoSchedule"}
                """));
            await CreateAsync(s, pod);

            await RefusedAsync(s, "a", "had untolerated taint");
        }),
        Case("A cordoned node takes no new pod, and does when it is uncordoned", Sources.Cordon, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            (await s.PatchAsync(node.Path, "merge", """{"spec": {"unschedulable": true}}""")).Is(200);
            await CreateAsync(s, Pod("a", s, node.Name));
            await s.UntilAsync("the pod is refused", async () =>
                (string?)Condition(await s.GetAsync($"{s.Pods}/a"), "PodScheduled")?["reason"] == "Unschedulable");

            (await s.PatchAsync(node.Path, "merge", """{"spec": {"unschedulable": null}}""")).Is(200);

            await BoundAsync(s, "a", node.Name);
        }),
        Case("A cordoned node is tainted node.kubernetes.io/unschedulable", Sources.Cordon, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);

            (await s.PatchAsync(node.Path, "merge", """{"spec": {"unschedulable": true}}""")).Is(200);

            await s.UntilAsync("the taint is there", async () => Taints(await s.GetAsync(node.Path)).Contains("node.kubernetes.io/unschedulable:NoSchedule"));
        }),
        Case("A pod that tolerates every taint goes to a cordoned node", Sources.TaintPage, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            (await s.PatchAsync(node.Path, "merge", """{"spec": {"unschedulable": true}}""")).Is(200);
            var pod = Pod("a", s, node.Name);
            pod["spec"]!["tolerations"] = new JsonArray(Json.Object("""{"operator": "Exists"}"""));
            await CreateAsync(s, pod);

            await BoundAsync(s, "a", node.Name);
        }),
        Case("Required node affinity is a demand", Sources.Affinity, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With(Affinity("Gt", "5"), "spec", "affinity"));
            await CreateAsync(s, Pod("b", s, node.Name).With(Affinity("In", "5"), "spec", "affinity"));

            await BoundAsync(s, "b", node.Name);
            await RefusedAsync(s, "a", "didn't match Pod's node affinity/selector");
        }),
        Case("A host port is taken once on a node", Sources.NodePorts, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).Port(39123));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name).Port(39123));

            await RefusedAsync(s, "b", "didn't have free ports for the requested pod ports");
        }),
        Case("Pods that must not share a node are kept apart", Sources.PodAffinity, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With(Anti("kubernetes.io/hostname"), "spec", "affinity"));
            await BoundAsync(s, "a", node.Name);
            await CreateAsync(s, Pod("b", s, node.Name).With(Anti("kubernetes.io/hostname"), "spec", "affinity"));

            await RefusedAsync(s, "b", "anti-affinity rules");
        }),
        Case("Pods that must be spread go to the node that has fewer of them", Sources.Spread, async s =>
        {
            await using var one = await OwnNode.CreateAsync(s);
            await using var two = await OwnNode.CreateAsync(s);
            var used = new List<string>();
            foreach (var name in (string[])["a", "b"])
            {
                await CreateAsync(s, Spread(Pod(name, s, one.Group)));
                await s.UntilAsync($"{name} is bound", async () => (await s.GetAsync($"{s.Pods}/{name}")).At("spec", "nodeName") is not null);
                used.Add((await s.GetAsync($"{s.Pods}/{name}")).Text("spec", "nodeName"));
            }
            Assert.Equal(new[] { one.Name, two.Name }.Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
        }),
        Case("A pod with scheduling gates is not scheduled, reason SchedulingGated, until the last is removed", Sources.Gates, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With(new JsonArray(Json.Object("""{"name": "graft.dev/wait"}""")), "spec", "schedulingGates"));
            await s.UntilAsync("the gate is told", async () =>
                (string?)Condition(await s.GetAsync($"{s.Pods}/a"), "PodScheduled")?["reason"] == "SchedulingGated");

            (await s.PatchAsync($"{s.Pods}/a", "merge", """{"spec": {"schedulingGates": null}}""")).Is(200);

            await BoundAsync(s, "a", node.Name);
        }),
        Case("A pod of another scheduler is left to it", Sources.OtherSchedulers, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With("graft.dev-none", "spec", "schedulerName"));
            await CreateAsync(s, Pod("b", s, node.Name));

            await BoundAsync(s, "b", node.Name);
            (await s.GetAsync($"{s.Pods}/a")).Is(200).Absent("spec", "nodeName");
        }),
        Case("A claim that is not there keeps its pod from being scheduled", Sources.VolumeBinding, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With(
                new JsonArray(Json.Object("""{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}""")), "spec", "volumes"));

            await RefusedAsync(s, "a", "persistentvolumeclaim \"none\" not found");
        }),
        Case("A scheduler binds a pod by its binding subresource, with annotations", Sources.Binding, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, "none").With("graft.dev-none", "spec", "schedulerName"));

            var binding = Bind("a", node.Name).With("x", "metadata", "annotations", "graft.dev/by");
            (await s.PostAsync($"{s.Pods}/a/binding", binding)).Is(201).Equal("Success", "status");

            (await s.GetAsync($"{s.Pods}/a")).Is(200).Equal(node.Name, "spec", "nodeName").Equal("x", "metadata", "annotations", "graft.dev/by");
        }),
        Case("A bound pod cannot be bound again", Sources.Binding, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, "none").With("graft.dev-none", "spec", "schedulerName"));
            (await s.PostAsync($"{s.Pods}/a/binding", Bind("a", node.Name))).Is(201);

            (await s.PostAsync($"{s.Pods}/a/binding", Bind("a", "other"))).Refuses(409, "Conflict",
                $"Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"{node.Name}\"");
        }),
        Case("A pod with scheduling gates cannot be bound", Sources.Binding, async s =>
        {
            await CreateAsync(s, Pod("a", s, "none").With("graft.dev-none", "spec", "schedulerName")
                .With(new JsonArray(Json.Object("""{"name": "graft.dev/wait"}""")), "spec", "schedulingGates"));

            (await s.PostAsync($"{s.Pods}/a/binding", Bind("a", "node"))).Refuses(409, "Conflict", "pod a has non-empty .spec.schedulingGates");
        }),
        Case("A binding without a target is invalid", Sources.Binding, async s =>
        {
            await CreateAsync(s, Pod("a", s, "none").With("graft.dev-none", "spec", "schedulerName"));

            (await s.PostAsync($"{s.Pods}/a/binding", Bind("a", ""))).Refuses(422, "Invalid", "target.name: Required value");
        }),
        Case("The node of a pod cannot be changed by an update", Sources.PodUpdate, async s =>
        {
            await CreateAsync(s, Pod("a", s, "none").With("graft.dev-none", "spec", "schedulerName"));

            (await s.PatchAsync($"{s.Pods}/a", "merge", """{"spec": {"nodeName": "x"}}""")).Refuses(422, "Invalid", "pod updates may not change fields other than");
        }),
        Case("Pods tolerate a node that is not ready or not reachable for five minutes unless they say otherwise", Sources.DefaultTolerations, async s =>
        {
            (await s.PostAsync(s.Pods, Pod("a", s, "none").Without("spec", "tolerations"))).Is(201);
            (await s.PostAsync(s.Pods, Pod("b", s, "none").With(new JsonArray(Json.Object("""{"operator": "Exists"}""")), "spec", "tolerations"))).Is(201);

            var given = ((await s.GetAsync($"{s.Pods}/a")).Is(200).At("spec", "tolerations") as JsonArray ?? []).OfType<JsonObject>()
                .Where(t => (string?)t["effect"] == "NoExecute" && (long?)t["tolerationSeconds"] == 300).Select(t => (string?)t["key"]);
            Assert.Equal(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"], given.Order(StringComparer.Ordinal));
            Assert.Single((await s.GetAsync($"{s.Pods}/b")).At("spec", "tolerations") as JsonArray ?? []);
        }),
        Case("A NoExecute taint drives away a pod that does not tolerate it, with the condition DisruptionTarget", Sources.TaintEviction, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            await CreateAsync(s, Pod("a", s, node.Name).With(new JsonArray("graft.dev/held"), "metadata", "finalizers"));
            await BoundAsync(s, "a", node.Name);

            await node.TaintAsync("graft.dev/gone", "NoExecute");

            await s.UntilAsync("the pod is deleted", async () => (await s.GetAsync($"{s.Pods}/a")).At("metadata", "deletionTimestamp") is not null);
            Assert.Equal("DeletionByTaintManager", (string?)Condition(await s.GetAsync($"{s.Pods}/a"), "DisruptionTarget")?["reason"]);
            (await s.PatchAsync($"{s.Pods}/a", "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
        }),
        Case("A pod stays on a node whose NoExecute taint it tolerates", Sources.TaintEviction, async s =>
        {
            await using var node = await OwnNode.CreateAsync(s);
            var stays = Pod("a", s, node.Name);
            ((JsonArray)stays["spec"]!["tolerations"]!).Add(Json.Object("""{"key": "graft.dev/gone", "operator": "Exists", "effect": "NoExecute"}"""));
            await CreateAsync(s, stays);
            await CreateAsync(s, Pod("b", s, node.Name));
            await BoundAsync(s, "a", node.Name);
            await BoundAsync(s, "b", node.Name);

            await node.TaintAsync("graft.dev/gone", "NoExecute");

            await s.UntilAsync("the other pod is deleted", async () => (await s.GetAsync($"{s.Pods}/b")) is var b
                && (b.Code == 404 || b.At("metadata", "deletionTimestamp") is not null));
            (await s.GetAsync($"{s.Pods}/a")).Is(200).Absent("metadata", "deletionTimestamp");
        }),
        Case("Every node with a kubelet renews its Lease in kube-node-lease", Sources.NodeHeartbeats, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "true"))).Is(201);
            await s.UntilAsync("the pod has a node", async () => (await s.GetAsync($"{s.Pods}/a")).At("spec", "nodeName") is not null);
            var name = (await s.GetAsync($"{s.Pods}/a")).Text("spec", "nodeName");

            (await s.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")).Is(200)
                .Equal(name, "spec", "holderIdentity").Text("spec", "renewTime");
        }),
    ]);

    private const string Now = """{"gracePeriodSeconds": 0}""";

    private static Case Case(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Node };

    private static async Task CreateAsync(Space s, JsonObject pod) => (await s.PostAsync(s.Pods, pod)).Is(201);

    private static JsonObject Pod(string name, Space s, string group) => Make.Named("v1", "Pod", name).With(name, "metadata", "labels", "pod")
        .With("yes", "metadata", "labels", "spread").With(Json.Object($$"""
            {
              "terminationGracePeriodSeconds": 0,
              "nodeSelector": {"{{OwnNode.Label}}{{(group.StartsWith("group-", StringComparison.Ordinal) ? "-group" : "")}}": "{{group}}"},
              "tolerations": [
                {"key": "{{OwnNode.TaintKey}}", "operator": "Equal", "value": "own", "effect": "NoSchedule"},
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}
              ],
              "containers": [{"name": "main", "image": "{{s.Server.ShellImage}}"}]
            }
            """), "spec");

    private static JsonObject Asking(this JsonObject pod, string resource, string amount)
    {
        pod["spec"]!["containers"]![0]!.AsObject().With(amount, "resources", "limits", resource);
        return pod;
    }

    private static JsonObject Requesting(this JsonObject pod, string resource, string amount)
    {
        pod["spec"]!["containers"]![0]!.AsObject().With(amount, "resources", "requests", resource);
        return pod;
    }

    private static JsonObject Port(this JsonObject pod, int port)
    {
        pod["spec"]!["containers"]![0]!["ports"] = new JsonArray(new JsonObject { ["containerPort"] = port, ["hostPort"] = port });
        return pod;
    }

    private static JsonObject Affinity(string @operator, string value) => Json.Object($$"""
        {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
          {"matchExpressions": [{"key": "graft.dev/size", "operator": "{{@operator}}", "values": ["{{value}}"]}]}]} } }
        """);

    private static JsonObject Anti(string key) => Json.Object($$"""
        {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
          {"topologyKey": "{{key}}", "labelSelector": {"matchLabels": {"spread": "yes"} } }]} }
        """);

    private static JsonObject Spread(JsonObject pod) => pod.With(new JsonArray(Json.Object("""
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
         "labelSelector": {"matchLabels": {"spread": "yes"}}}
        """)), "spec", "topologySpreadConstraints");

    private static JsonObject Bind(string pod, string node) =>
        Make.Named("v1", "Binding", pod).With(new JsonObject { ["kind"] = "Node", ["name"] = node }, "target");

    private static JsonObject? Condition(Answer pod, string type) =>
        (pod.At("status", "conditions") as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => (string?)c["type"] == type);

    private static IEnumerable<string> Taints(Answer node) =>
        (node.At("spec", "taints") as JsonArray ?? []).OfType<JsonObject>().Select(t => $"{t["key"]}:{t["effect"]}");

    private static Task BoundAsync(Space s, string pod, string node) => s.UntilAsync($"{pod} is bound to {node}", async () =>
        (string?)(await s.GetAsync($"{s.Pods}/{pod}")).At("spec", "nodeName") == node);

    private static Task RefusedAsync(Space s, string pod, params string[] words) => s.UntilAsync($"{pod} is refused for {string.Join(", ", words)}", async () =>
    {
        var condition = Condition(await s.GetAsync($"{s.Pods}/{pod}"), "PodScheduled");
        return (string?)condition?["status"] == "False" && (string?)condition["reason"] == "Unschedulable"
            && words.All(w => ((string?)condition["message"] ?? "").Contains(w, StringComparison.Ordinal));
    });

    private static Task EventAsync(Space s, string pod, string reason, string type, string words) => s.UntilAsync($"the event {reason} of {pod}", async () =>
        (await s.GetAsync($"{s.Core("events")}?fieldSelector=involvedObject.name%3D{pod}%2Creason%3D{reason}")).Is(200).Items
            .Any(e => (string?)e["type"] == type && ((string?)e["message"] ?? "").Contains(words, StringComparison.Ordinal)));
}

/// <summary>A node of a case's own: an object that says it is ready, labelled and tainted so that only the case's pods go there.</summary>
internal sealed class OwnNode : IAsyncDisposable
{
    public const string Label = "graft.dev/conformance-node";
    public const string TaintKey = "graft.dev/conformance";
    private const string All = "/api/v1/nodes";

    private readonly Space _space;

    private OwnNode(Space space, string name) => (_space, Name) = (space, name);

    public string Name { get; }

    public string Path => $"{All}/{Name}";

    /// <summary>The label value of all nodes of the same case.</summary>
    public string Group => $"group-{_space.Name}";

    public static async Task<OwnNode> CreateAsync(Space space, params (string Resource, string Amount)[] resources)
    {
        var node = new OwnNode(space, $"{space.Server.Prefix}-{Guid.NewGuid().ToString("N")[..8]}");
        var made = Make.Named("v1", "Node", node.Name);
        made["metadata"]!["labels"] = new JsonObject
        {
            [Label] = node.Name, [$"{Label}-group"] = node.Group, ["kubernetes.io/hostname"] = node.Name, ["graft.dev/size"] = "5",
        };
        made["spec"] = new JsonObject { ["taints"] = new JsonArray(new JsonObject { ["key"] = TaintKey, ["value"] = "own", ["effect"] = "NoSchedule" }) };
        (await space.PostAsync(All, made)).Is(201);
        var amounts = new JsonObject { ["cpu"] = "4", ["memory"] = "8Gi", ["ephemeral-storage"] = "10Gi", ["pods"] = "10" };
        foreach (var (resource, amount) in resources) amounts[resource] = amount;
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var status = new JsonObject
        {
            ["capacity"] = amounts, ["allocatable"] = amounts.DeepClone(),
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Ready", ["status"] = "True", ["reason"] = "KubeletReady", ["message"] = "", ["lastHeartbeatTime"] = now,
                ["lastTransitionTime"] = now,
            }),
        };
        (await space.PatchAsync($"{node.Path}/status", "merge", new JsonObject { ["status"] = status }.ToJsonString())).Is(200);
        return node;
    }

    public Task TaintAsync(string key, string effect) => _space.UntilAsync($"the node has the taint {key}", async () =>
    {
        var node = (await _space.GetAsync(Path)).Is(200);
        var taints = (JsonArray)node.At("spec", "taints")!;
        taints.Add(new JsonObject { ["key"] = key, ["effect"] = effect });
        return (await _space.PutAsync(Path, node.Object)).Code == 200;
    });

    /// <summary>Pods first: nobody else ends them on a node without a kubelet.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var pod in (await _space.GetAsync(_space.Pods)).Items)
            await _space.DeleteAsync($"{_space.Pods}/{pod["metadata"]!["name"]}", """{"gracePeriodSeconds": 0}""");
        await _space.DeleteAsync(Path);
    }
}
