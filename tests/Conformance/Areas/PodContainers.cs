using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>What a kubelet does with the containers of a pod, and what it says of them.</summary>
internal static class PodContainers
{
    public static Area Area => new("Containers",
    [
        Case("Init containers run one after the other before the containers", Sources.InitContainers, async s =>
        {
            await RunAsync(s, Pod(s, "cat /data/log").Mounting("/data").Init(s, "one", "echo one >> /data/log").Init(s, "two", "echo two >> /data/log"));

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("one\ntwo\n", await LogAsync(s));
        }),
        Case("A failed init container of a pod that is not restarted fails the pod, and its containers stay PodInitializing", Sources.InitContainers, async s =>
        {
            await RunAsync(s, Pod(s, "true").Init(s, "one", "exit 3"));

            var pod = await PhaseAsync(s, "Failed");
            pod.Equal(3, "status", "initContainerStatuses", "0", "state", "terminated", "exitCode")
                .Equal("PodInitializing", "status", "containerStatuses", "0", "state", "waiting", "reason");
            Is(pod, "Initialized", "False", "ContainersNotInitialized", "containers with incomplete status: [one]");
        }),
        Case("A sidecar starts before the containers and is ended after them", Sources.Sidecars, async s =>
        {
            const string Sidecar = "echo side >> /data/log; trap 'echo end >> /data/log; exit 0' TERM; while :; do sleep 0.1; done";
            var pod = Pod(s, "echo main >> /data/log; sleep 0.3; cat /data/log").Mounting("/data").Init(s, "side", Sidecar, "Always");
            pod["spec"]!["initContainers"]![0]!["startupProbe"] = Json.Object("""
                {"periodSeconds": 1, "timeoutSeconds": 20, "exec": {"command": ["/bin/sh", "-c", "test -f /data/log"]}}
                """);
            await RunAsync(s, pod);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("side\nmain\n", await LogAsync(s));
        }),
        Case("A pod whose containers are done is Succeeded whatever its sidecars ended with", Sources.Sidecars, async s =>
        {
            await RunAsync(s, Pod(s, "true").Init(s, "side", "sleep 600 & wait", "Always").Grace(1));

            (await PhaseAsync(s, "Succeeded")).Equal("side", "status", "initContainerStatuses", "0", "name");
        }),
        Case("A sidecar that ends is started again, also in a pod that is not restarted", Sources.Sidecars, async s =>
        {
            await RunAsync(s, Pod(s, "sleep 600").Init(s, "side", "exit 1", "Always").Grace(0));

            await s.UntilAsync("the sidecar was restarted", async () =>
                (long?)(await s.GetAsync($"{s.Pods}/a")).At("status", "initContainerStatuses", "0", "restartCount") >= 1);
        }),
        Case("Sidecars end in the reverse order of their start", Sources.SidecarOrder, async s =>
        {
            static string Sidecar(string name) => $"trap 'echo {name} >> /data/log; exit 0' TERM; touch /data/{name}; while :; do sleep 0.05; done";
            // It ends when both can be told to.
            var pod = Pod(s, "until test -f /data/one && test -f /data/two; do sleep 0.05; done").Mounting("/data").Init(s, "keeper", "trap 'cat /data/log; exit 0' TERM; while :; do sleep 0.05; done", "Always")
                .Init(s, "one", Sidecar("one"), "Always").Init(s, "two", Sidecar("two"), "Always");
            await RunAsync(s, pod);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("two\none\n", (await s.GetAsync($"{s.Pods}/a/log?container=keeper")).Is(200).Body);
        }),
        Case("A container that fails is restarted by OnFailure, and its last state is kept", Sources.RestartPolicy, async s =>
        {
            await RunAsync(s, Pod(s, "test -f /data/x && exit 0; touch /data/x; exit 5").Mounting("/data").With("OnFailure", "spec", "restartPolicy"));

            (await PhaseAsync(s, "Succeeded")).Equal(1, "status", "containerStatuses", "0", "restartCount")
                .Equal(5, "status", "containerStatuses", "0", "lastState", "terminated", "exitCode");
        }),
        Case("A container that goes on failing waits in CrashLoopBackOff, first for 10 seconds, and an event BackOff says so", Sources.RestartPolicy, async s =>
        {
            await RunAsync(s, Pod(s, "exit 5").With("Always", "spec", "restartPolicy").Grace(0));

            await s.UntilAsync("the container backs off", async () =>
                (string?)(await StateAsync(s))["waiting"]?["reason"] == "CrashLoopBackOff");
            var pod = await s.GetAsync($"{s.Pods}/a");
            Assert.Equal($"back-off 10s restarting failed container=main pod=a_{s.Name}({pod.Uid})", pod.Text("status", "containerStatuses", "0", "state", "waiting", "message"));
            pod.Equal("Running", "status", "phase");
            await EventAsync(s, "BackOff", "Warning", $"Back-off restarting failed container main in pod a_{s.Name}({pod.Uid})");
        }),
        Case("A container that ended well is Completed, another Error", Sources.ContainerStates, async s =>
        {
            await RunAsync(s, Pod(s, "exit 0").Container(s, "other", "exit 2"));

            var states = ((JsonArray)(await PhaseAsync(s, "Failed")).At("status", "containerStatuses")!).ToDictionary(
                c => (string)c!["name"]!, c => (string?)c!["state"]!["terminated"]!["reason"]);
            Assert.Equal(("Completed", "Error"), (states["main"], states["other"]));
        }),
        Case("A program that is not there cannot be started: StartError, exit code 128", Sources.ContainerStates, async s =>
        {
            var pod = Pod(s, "");
            pod["spec"]!["containers"]![0]!["command"] = new JsonArray("/no/such/program");
            await RunAsync(s, pod);

            (await PhaseAsync(s, "Failed")).Equal(128, "status", "containerStatuses", "0", "state", "terminated", "exitCode")
                .Equal("StartError", "status", "containerStatuses", "0", "state", "terminated", "reason");
        }),
        Case("An image that cannot be had leaves its container waiting in ErrImagePull or ImagePullBackOff, and the pod Pending", Sources.Images, async s =>
        {
            var pod = Pod(s, "true");
            pod["spec"]!["containers"]![0]!["image"] = "graft.invalid/none:1";
            await RunAsync(s, pod);

            await s.UntilAsync("the image is refused", async () => (string?)(await StateAsync(s))["waiting"]?["reason"] is "ErrImagePull" or "ImagePullBackOff");
            (await s.GetAsync($"{s.Pods}/a")).Equal("Pending", "status", "phase");
            await EventAsync(s, "Failed", "Warning", "Failed to pull image \"graft.invalid/none:1\"");
        }),
        Case("An image that is not there and must not be pulled is ErrImageNeverPull", Sources.Images, async s =>
        {
            var pod = Pod(s, "true");
            pod["spec"]!["containers"]![0]!.AsObject().With("graft.invalid/none:1", "image").With("Never", "imagePullPolicy");
            await RunAsync(s, pod);

            await s.UntilAsync("the image is refused", async () => (string?)(await StateAsync(s))["waiting"]?["reason"] == "ErrImageNeverPull");
        }),
        Case("A container that refers to a missing ConfigMap waits in CreateContainerConfigError, and starts when it is there", Sources.ConfigMapEnv, async s =>
        {
            var pod = Pod(s, "echo $WORD");
            pod["spec"]!["containers"]![0]!["env"] = new JsonArray(Json.Object("""
                {"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "word"} } }
                """));
            await RunAsync(s, pod);
            await s.UntilAsync("the configuration is missed", async () => (string?)(await StateAsync(s))["waiting"]?["reason"] == "CreateContainerConfigError");
            Assert.Equal("configmap \"late\" not found", (string?)(await StateAsync(s))["waiting"]?["message"]);

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("late", ("word", "there")))).Is(201);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("there\n", await LogAsync(s));
        }),
        Case("What a container writes to its termination log is its message", Sources.TerminationMessage, async s =>
        {
            await RunAsync(s, Pod(s, "echo last words > /dev/termination-log"));

            (await PhaseAsync(s, "Succeeded")).Equal("last words\n", "status", "containerStatuses", "0", "state", "terminated", "message");
        }),
        Case("FallbackToLogsOnError takes the end of the log of a container that failed without a message", Sources.TerminationMessage, async s =>
        {
            var pod = Pod(s, "echo from the log; exit 1");
            pod["spec"]!["containers"]![0]!["terminationMessagePolicy"] = "FallbackToLogsOnError";
            await RunAsync(s, pod);

            (await PhaseAsync(s, "Failed")).Equal("from the log\n", "status", "containerStatuses", "0", "state", "terminated", "message");
        }),
        Case("preStop runs before the container is told to end, within the grace period", Sources.Hooks, async s =>
        {
            var pod = Pod(s, "trap 'cat /data/log > /dev/termination-log; exit 0' TERM; touch /data/up; while :; do sleep 0.05; done").Mounting("/data").Held();
            pod["spec"]!["containers"]![0]!["lifecycle"] = Json.Object("""
                {"preStop": {"exec": {"command": ["/bin/sh", "-c", "echo hooked > /data/log"]} } }
                """);
            await RunAsync(s, pod);
            await PhaseAsync(s, "Running");

            (await s.DeleteAsync($"{s.Pods}/a")).Is(200);

            await s.UntilAsync("the container ended", async () => (await StateAsync(s))["terminated"] is not null);
            Assert.Equal("hooked\n", (string?)(await StateAsync(s))["terminated"]!["message"]);
            await ReleaseAsync(s);
        }),
        Case("postStart that fails ends the container, with the event FailedPostStartHook", Sources.Hooks, async s =>
        {
            var pod = Pod(s, "sleep 600").Grace(1);
            pod["spec"]!["containers"]![0]!["lifecycle"] = Json.Object("""{"postStart": {"exec": {"command": ["/bin/sh", "-c", "exit 1"]} } }""");
            await RunAsync(s, pod);

            await PhaseAsync(s, "Failed");
            await EventAsync(s, "FailedPostStartHook", "Warning", "PostStartHook failed");
        }),
        Case("A container that ignores the request to end is killed when its grace period is over", Sources.Termination, async s =>
        {
            await RunAsync(s, Pod(s, "trap '' TERM; echo up; while :; do sleep 0.05; done").Grace(1).Held());
            await PhaseAsync(s, "Running");
            await s.UntilAsync("the container is up", async () => await LogAsync(s) == "up\n");

            (await s.DeleteAsync($"{s.Pods}/a")).Is(200);

            await s.UntilAsync("the container ended", async () => (await StateAsync(s))["terminated"] is not null);
            Assert.Equal(137, (int?)(await StateAsync(s))["terminated"]!["exitCode"]);
            await ReleaseAsync(s);
        }),
        Case("A pod that is deleted gets the event Killing", Sources.Termination, async s =>
        {
            await RunAsync(s, Pod(s, "sleep 600").Grace(1));
            await PhaseAsync(s, "Running");

            (await s.DeleteAsync($"{s.Pods}/a")).Is(200);

            await EventAsync(s, "Killing", "Normal", "Stopping container main");
        }),
        Case("A pod that was active for longer than its deadline is Failed with the reason DeadlineExceeded", Sources.ActiveDeadline, async s =>
        {
            await RunAsync(s, Pod(s, "sleep 600").Grace(1).With(1, "spec", "activeDeadlineSeconds"));

            (await PhaseAsync(s, "Failed")).Equal("DeadlineExceeded", "status", "reason")
                .Equal("Pod was active on the node longer than the specified deadline", "status", "message");
        }),
        Case("The events of a start are Created and Started", Sources.DebugPods, async s =>
        {
            await RunAsync(s, Pod(s, "true"));

            await EventAsync(s, "Created", "Normal", "main");
            await EventAsync(s, "Started", "Normal", "main");
        }),
        Case("A pod that succeeded is not ready, with the reason PodCompleted", Sources.PodConditions, async s =>
        {
            await RunAsync(s, Pod(s, "true"));

            var pod = await PhaseAsync(s, "Succeeded");
            Is(pod, "Ready", "False", "PodCompleted");
            Is(pod, "ContainersReady", "False", "PodCompleted");
            Is(pod, "Initialized", "True", "PodCompleted");
        }),
        Case("A pod that failed is not ready, with the reason PodFailed", Sources.StatusGenerate, async s =>
        {
            await RunAsync(s, Pod(s, "exit 1"));

            Is(await PhaseAsync(s, "Failed"), "Ready", "False", "PodFailed");
        }),
        Case("A running pod has addresses, a start time and PodReadyToStartContainers", Sources.PodConditions, async s =>
        {
            await RunAsync(s, Pod(s, "sleep 600").Grace(0));

            var pod = await PhaseAsync(s, "Running");
            Is(pod, "PodReadyToStartContainers", "True", null);
            Assert.Equal(pod.Text("status", "podIP"), pod.Text("status", "podIPs", "0", "ip"));
            Assert.NotEmpty(pod.Text("status", "hostIP") + pod.Text("status", "startTime"));
        }),
        Case("A readiness gate keeps a pod from being ready until somebody sets its condition", Sources.ReadinessGates, async s =>
        {
            await RunAsync(s, Pod(s, "sleep 600").Grace(0).With(new JsonArray(Json.Object("""{"conditionType": "graft.dev/open"}""")), "spec", "readinessGates"));
            await ConditionAsync(s, "Ready", "False", "ReadinessGatesNotReady");
            Is(await s.GetAsync($"{s.Pods}/a"), "Ready", "False", "ReadinessGatesNotReady",
                "corresponding condition of pod readiness gate \"graft.dev/open\" does not exist.");

            (await s.PatchAsync($"{s.Pods}/a/status", "strategic-merge",
                """{"status": {"conditions": [{"type": "graft.dev/open", "status": "True"}]}}""")).Is(200);

            await ConditionAsync(s, "Ready", "True");
        }),
        Case("An environment variable may name the ones before it", Sources.DependentVariables, async s =>
        {
            var pod = Pod(s, "echo $B");
            pod["spec"]!["containers"]![0]!["env"] = new JsonArray(
                Json.Object("""{"name": "A", "value": "1"}"""), Json.Object("""{"name": "B", "value": "$(A) $$(A) $(C)"}"""));
            await RunAsync(s, pod);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("1 $(A) $(C)\n", await LogAsync(s));
        }),
        Case("A container knows its pod by the downward API", Sources.Downward, async s =>
        {
            var pod = Pod(s, "echo $N $NS $L $CPU").With("x", "metadata", "labels", "app");
            pod["spec"]!["containers"]![0]!.AsObject().With(Json.Object("""{"limits": {"cpu": "500m"}}"""), "resources").With(new JsonArray(
                Json.Object("""{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"} } }"""),
                Json.Object("""{"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"} } }"""),
                Json.Object("""{"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"} } }"""),
                Json.Object("""{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"} } }""")), "env");
            await RunAsync(s, pod);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal($"a {s.Name} x 500\n", await LogAsync(s));
        }),
        Case("Containers find the API server in KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT", Sources.ApiFromPods, async s =>
        {
            await RunAsync(s, Pod(s, "test -n \"$KUBERNETES_SERVICE_HOST\" && test -n \"$KUBERNETES_SERVICE_PORT\""));

            await PhaseAsync(s, "Succeeded");
        }),
        Case("A container above its memory limit is killed: OOMKilled, exit code 137", Sources.MemoryLimit, async s =>
        {
            // The shell's own variable is larger than the limit.
            var pod = Pod(s, "x=$(head -c 100000000 /dev/zero | tr '\\0' x); sleep 600").Grace(0);
            pod["spec"]!["containers"]![0]!["resources"] = Json.Object("""{"limits": {"memory": "64Mi"}}""");
            await RunAsync(s, pod);

            (await PhaseAsync(s, "Failed")).Equal(137, "status", "containerStatuses", "0", "state", "terminated", "exitCode")
                .Equal("OOMKilled", "status", "containerStatuses", "0", "state", "terminated", "reason");
        }),
    ]);

    private static Case Case(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Pods };

    public static JsonObject Pod(Space s, string script) => Make.Pod("a", s.Server.ShellImage, script);

    public static async Task RunAsync(Space s, JsonObject pod) => (await s.PostAsync(s.Pods, pod)).Is(201);

    public static JsonObject Mounting(this JsonObject pod, string path)
    {
        pod["spec"]!["volumes"] = new JsonArray(Json.Object("""{"name": "data", "emptyDir": {}}"""));
        foreach (var container in pod["spec"]!["containers"]!.AsArray()) container!["volumeMounts"] = Mounts(path);
        return pod;
    }

    private static JsonArray Mounts(string path) => new(new JsonObject { ["name"] = "data", ["mountPath"] = path });

    private static JsonObject Init(this JsonObject pod, Space s, string name, string script, string? restart = null)
    {
        var container = new JsonObject { ["name"] = name, ["image"] = s.Server.ShellImage, ["command"] = new JsonArray("/bin/sh", "-c", script) };
        if (pod["spec"]!["volumes"] is not null) container["volumeMounts"] = Mounts("/data");
        if (restart is not null) container["restartPolicy"] = restart;
        if (pod["spec"]!["initContainers"] is not JsonArray all) pod["spec"]!["initContainers"] = all = [];
        all.Add(container);
        return pod;
    }

    private static JsonObject Container(this JsonObject pod, Space s, string name, string script)
    {
        pod["spec"]!["containers"]!.AsArray().Add(new JsonObject
        {
            ["name"] = name, ["image"] = s.Server.ShellImage, ["command"] = new JsonArray("/bin/sh", "-c", script),
        });
        return pod;
    }

    public static JsonObject Grace(this JsonObject pod, int seconds) => pod.With(seconds, "spec", "terminationGracePeriodSeconds");

    /// <summary>Stays to be looked at after its end.</summary>
    private static JsonObject Held(this JsonObject pod) => pod.With(new JsonArray("graft.dev/held"), "metadata", "finalizers");

    private static async Task ReleaseAsync(Space s) =>
        (await s.PatchAsync($"{s.Pods}/a", "merge", """{"metadata": {"finalizers": null}}""")).Is(200);

    public static async Task<Answer> PhaseAsync(Space s, string phase)
    {
        Answer? last = null;
        await s.UntilAsync($"the pod is {phase}", async () => (string?)(last = (await s.GetAsync($"{s.Pods}/a")).Is(200)).At("status", "phase") == phase);
        return last!;
    }

    private static async Task<JsonObject> StateAsync(Space s) =>
        (await s.GetAsync($"{s.Pods}/a")).Is(200).At("status", "containerStatuses", "0", "state") as JsonObject ?? [];

    public static async Task<string> LogAsync(Space s) => (await s.GetAsync($"{s.Pods}/a/log?container=main")).Is(200).Body;

    private static JsonObject? Condition(Answer pod, string type) =>
        (pod.At("status", "conditions") as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => (string?)c["type"] == type);

    private static void Is(Answer pod, string type, string status, string? reason, string? message = null)
    {
        var condition = Condition(pod, type);
        Assert.Equal((status, reason), ((string?)condition?["status"], (string?)condition?["reason"] is { Length: > 0 } said ? said : null));
        if (message is not null) Assert.Equal(message, (string?)condition!["message"]);
    }

    public static Task ConditionAsync(Space s, string type, string status, string? reason = null) =>
        s.UntilAsync($"{type} is {status} {reason}", async () => Condition(await s.GetAsync($"{s.Pods}/a"), type) is { } condition
            && (string?)condition["status"] == status && (reason is null || (string?)condition["reason"] == reason));

    public static Task EventAsync(Space s, string reason, string type, string words) => s.UntilAsync($"the event {reason}: {words}", async () =>
        (await s.GetAsync($"{s.Core("events")}?fieldSelector=involvedObject.name%3Da%2Creason%3D{reason}")).Is(200).Items
            .Any(e => (string?)e["type"] == type && ((string?)e["message"] ?? "").Contains(words, StringComparison.Ordinal)));
}
