using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>How a kubelet asks containers whether they are well, and what follows.</summary>
internal static class Probes
{
    private const string Up = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

    public static Area Area => new("Probes",
    [
        Case("A container without probes is ready when it runs", async s =>
        {
            await StartAsync(s, Up);

            await PodContainers.ConditionAsync(s, "Ready", "True");
            (await s.GetAsync($"{s.Pods}/a")).Equal(true, "status", "containerStatuses", "0", "started");
        }),
        Case("Readiness follows its command: ready, and then not ready again", async s =>
        {
            await StartAsync(s, "(sleep 1; touch /data/ready; while [ ! -f /data/seen ]; do sleep 0.1; done; sleep 1; rm /data/ready) & " + Up, ("readinessProbe", Exec("test -f /data/ready && touch /data/seen", 1)));

            await PodContainers.ConditionAsync(s, "Ready", "True");
            await PodContainers.ConditionAsync(s, "Ready", "False", "ContainersNotReady");
        }),
        Case("A failed readiness probe is told in an event Unhealthy with what the command said, and restarts nothing", async s =>
        {
            await StartAsync(s, Up, ("readinessProbe", Exec("echo not yet; exit 1", 1)));

            await PodContainers.EventAsync(s, "Unhealthy", "Warning", "Readiness probe failed: not yet");
            (await s.GetAsync($"{s.Pods}/a")).Equal(0, "status", "containerStatuses", "0", "restartCount");
        }),
        Case("A failed liveness probe restarts the container, and the events say so", async s =>
        {
            await StartAsync(s, Up, ("livenessProbe", Exec("exit 1", 1)));

            await PodContainers.EventAsync(s, "Unhealthy", "Warning", "Liveness probe failed");
            await PodContainers.EventAsync(s, "Killing", "Normal", "Container main failed liveness probe, will be restarted");
            await RestartedAsync(s);
        }),
        Case("A failed startup probe restarts the container", async s =>
        {
            await StartAsync(s, Up, ("startupProbe", Exec("exit 1", 1)));

            await PodContainers.EventAsync(s, "Killing", "Normal", "Container main failed startup probe, will be restarted");
            await RestartedAsync(s);
        }),
        Case("While a startup probe has not succeeded a container is not started, and its other probes wait", async s =>
        {
            await StartAsync(s, "(sleep 2; touch /data/up) & " + Up,
                ("startupProbe", Exec("test -f /data/up", 100)), ("livenessProbe", Exec("test -f /data/up", 1)), ("readinessProbe", Exec("true", 1)));
            (await PodContainers.PhaseAsync(s, "Running")).Equal(false, "status", "containerStatuses", "0", "started")
                .Equal(false, "status", "containerStatuses", "0", "ready");

            await PodContainers.ConditionAsync(s, "Ready", "True");

            (await s.GetAsync($"{s.Pods}/a")).Equal(true, "status", "containerStatuses", "0", "started")
                .Equal(0, "status", "containerStatuses", "0", "restartCount");
        }),
        Case("A probe of a port that nobody listens on fails: connection refused", async s =>
        {
            await StartAsync(s, Up, ("readinessProbe", Json.Object("""{"periodSeconds": 1, "tcpSocket": {"port": 9}}""")));

            await PodContainers.EventAsync(s, "Unhealthy", "Warning", "connect: connection refused");
        }),
        Case("An httpGet of a port that nobody listens on says which address it asked", async s =>
        {
            await StartAsync(s, Up, ("readinessProbe", Json.Object("""{"periodSeconds": 1, "httpGet": {"port": 9, "path": "/healthy"}}""")));

            await PodContainers.EventAsync(s, "Unhealthy", "Warning", ":9/healthy\": dial tcp ");
        }),
        Case("A command that takes longer than its timeout fails", async s =>
        {
            await StartAsync(s, Up, ("readinessProbe", Exec("sleep 20", 1).With(1, "timeoutSeconds")));

            await PodContainers.EventAsync(s, "Unhealthy", "Warning", "timed out after 1s");
        }),
        Case("A container is ready only after as many successes in a row as its probe asks for", async s =>
        {
            await StartAsync(s, Up, ("readinessProbe", Exec("echo x >> /data/asked; exit 0", 1).With(2, "successThreshold")));

            await PodContainers.ConditionAsync(s, "Ready", "True");
        }),
        new("A liveness probe cannot ask for more than one success", Sources.Probes, async s =>
            (await s.PostAsync(s.Pods, Pod(s, Up, [("livenessProbe", Exec("true", 1).With(2, "successThreshold"))]))).Refuses(422, "Invalid",
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1")),
        new("A probe needs a way to ask", Sources.Probes, async s =>
            (await s.PostAsync(s.Pods, Pod(s, Up, [("livenessProbe", Json.Object("""{"periodSeconds": 1}"""))]))).Refuses(422, "Invalid",
                "spec.containers[0].livenessProbe: Required value: must specify a handler type")),
        new("A probe asks in one way only", Sources.Probes, async s =>
            (await s.PostAsync(s.Pods, Pod(s, Up,
                [("readinessProbe", Exec("true", 1).With(Json.Object("""{"port": 9}"""), "tcpSocket"))]))).Refuses(422, "Invalid",
                "may not specify more than 1 handler type")),
    ]);

    private static Case Case(string sentence, Func<Space, Task> run) => new(sentence, Sources.Probes, run) { Needs = Needs.Pods };

    private static JsonObject Exec(string script, int failures) => Json.Object($$"""{"periodSeconds": 1, "timeoutSeconds": 20, "failureThreshold": {{failures}} }""")
        .With(new JsonObject { ["command"] = new JsonArray("/bin/sh", "-c", script) }, "exec");

    private static JsonObject Pod(Space s, string script, (string Name, JsonObject Probe)[] probes)
    {
        var pod = PodContainers.Pod(s, script).Mounting("/data").Grace(1).With("Always", "spec", "restartPolicy");
        foreach (var (name, probe) in probes) pod["spec"]!["containers"]![0]![name] = probe;
        return pod;
    }

    private static Task StartAsync(Space s, string script, params (string Name, JsonObject Probe)[] probes) =>
        PodContainers.RunAsync(s, Pod(s, script, probes));

    private static Task RestartedAsync(Space s) => s.UntilAsync("the container was restarted", async () =>
        (long?)(await s.GetAsync($"{s.Pods}/a")).At("status", "containerStatuses", "0", "restartCount") >= 1);
}
