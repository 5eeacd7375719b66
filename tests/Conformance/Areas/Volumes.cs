using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>What containers see of their volumes.</summary>
internal static class Volumes
{
    public static Area Area => new("Volumes",
    [
        Case("The keys of a ConfigMap are files of its volume", Sources.ConfigMapVolumes, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1"), ("two", "2")))).Is(201);
            await RunAsync(s, "cat /v/one /v/two", Json.Object("""{"configMap": {"name": "m"}}"""));

            await LogIsAsync(s, "12");
        }),
        Case("Items choose keys, paths and modes", Sources.ConfigMapVolumes, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1"), ("two", "2")))).Is(201);
            await RunAsync(s, "cat /v/deep/first; stat -L -c %a /v/deep/first; test -e /v/two || echo no", Json.Object("""
                {"configMap": {"name": "m", "items": [{"key": "one", "path": "deep/first", "mode": 256}]}}
                """));

            await LogIsAsync(s, "1400\nno\n");
        }),
        Case("Files of a ConfigMap are links through ..data, so that they change together", Sources.AtomicWriter, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1")))).Is(201);
            await RunAsync(s, "readlink /v/one; test -L /v/..data && echo link", Json.Object("""{"configMap": {"name": "m"}}"""));

            await LogIsAsync(s, "..data/one\nlink\n");
        }),
        Case("A ConfigMap's volume cannot be written", Sources.ConfigMapVolumes, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1")))).Is(201);
            await RunAsync(s, "touch /v/new 2>/dev/null || echo refused", Json.Object("""{"configMap": {"name": "m"}}"""));

            await LogIsAsync(s, "refused\n");
        }),
        Case("A pod waits for a ConfigMap that is not there, and the event FailedMount says so", Sources.ConfigMapVolumes, async s =>
        {
            await RunAsync(s, "cat /v/one", Json.Object("""{"configMap": {"name": "late"}}"""));
            await PodContainers.EventAsync(s, "FailedMount", "Warning", "MountVolume.SetUp failed for volume \"v\" : configmap \"late\" not found");

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("late", ("one", "1")))).Is(201);

            await LogIsAsync(s, "1");
        }),
        Case("An optional ConfigMap may be missing", Sources.ConfigMapVolumes, async s =>
        {
            await RunAsync(s, "ls /v", Json.Object("""{"configMap": {"name": "none", "optional": true}}"""));

            await LogIsAsync(s, "");
        }),
        Case("The keys of a Secret are files of its volume, decoded", Sources.SecretVolumes, async s =>
        {
            (await s.PostAsync(s.Secrets, Make.Secret("k").With("aGVsbG8=", "data", "word"))).Is(201);
            await RunAsync(s, "cat /v/word", Json.Object("""{"secret": {"secretName": "k"}}"""));

            await LogIsAsync(s, "hello");
        }),
        Case("A projected volume puts several sources in one folder", Sources.Projected, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1")))).Is(201);
            (await s.PostAsync(s.Secrets, Make.Secret("k").With("aGVsbG8=", "data", "word"))).Is(201);
            await RunAsync(s, "cat /v/one /v/secret/word /v/labels /v/name", Json.Object("""
                {"projected": {"sources": [
                  {"configMap": {"name": "m"}},
                  {"secret": {"name": "k", "items": [{"key": "word", "path": "secret/word"}]}},
                  {"downwardAPI": {"items": [
                    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                    {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}}
                """));

            await LogIsAsync(s, "1helloapp=\"x\"a");
        }),
        Case("A projected volume has a token of the pod's service account", Sources.TokenVolumes, async s =>
        {
            await RunAsync(s, "test $(tr -cd . < /v/token | wc -c) = 2 && echo token", Json.Object("""
                {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": "graft", "expirationSeconds": 600}}]}}
                """));

            await LogIsAsync(s, "token\n");
        }),
        Case("An emptyDir is shared by the containers of its pod", Sources.EmptyDir, async s =>
        {
            await RunAsync(s, "while [ ! -f /v/there ]; do sleep 0.1; done; cat /v/there", Json.Object("""{"emptyDir": {}}"""), pod =>
                pod["spec"]!["containers"]!.AsArray().Add(new JsonObject
                {
                    ["name"] = "other", ["image"] = s.Server.ShellImage, ["command"] = new JsonArray("/bin/sh", "-c", "echo shared > /v/new; mv /v/new /v/there"),
                    ["volumeMounts"] = new JsonArray(Mount()),
                }));

            await LogIsAsync(s, "shared\n");
        }),
        Case("A subPath mounts a part of its volume", Sources.SubPath, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("m", ("one", "1")))).Is(201);
            await RunAsync(s, "cat /v/file", Json.Object("""{"configMap": {"name": "m"}}"""),
                mount: Mount("/v/file").With("one", "subPath"));

            await LogIsAsync(s, "1");
        }),
        Case("A subPathExpr is expanded with the container's variables", Sources.SubPathExpr, async s =>
        {
            await RunAsync(s, "touch /v/x; ls /all", Json.Object("""{"emptyDir": {}}"""), pod =>
            {
                var container = pod["spec"]!["containers"]![0]!.AsObject();
                container["env"] = new JsonArray(Json.Object("""{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}"""));
                container["volumeMounts"]!.AsArray().Add(Mount("/all"));
            }, Mount().With("dir-$(POD)", "subPathExpr"));

            await LogIsAsync(s, "dir-a\n");
        }),
        Case("A subPath that a link leads out of its volume is not mounted", Sources.SubPathCode, async s =>
        {
            await RunAsync(s, "ls /v", Json.Object("""{"emptyDir": {}}"""), pod => pod["spec"]!["initContainers"] = new JsonArray(new JsonObject
            {
                ["name"] = "link", ["image"] = s.Server.ShellImage, ["command"] = new JsonArray("/bin/sh", "-c", "ln -s /etc /v/out"),
                ["volumeMounts"] = new JsonArray(Mount()),
            }), Mount().With("out", "subPath"));

            await s.UntilAsync("the container is refused", async () => ((string?)(await s.GetAsync($"{s.Pods}/a"))
                .At("status", "containerStatuses", "0", "state", "waiting", "message"))?
                .Contains("failed to prepare subPath for volumeMount \"v\" of container \"main\"", StringComparison.Ordinal) == true);
        }),
        new("A subPath cannot climb out of its volume", Sources.SubPath, async s =>
            (await s.PostAsync(s.Pods, Pod(s, "true", Json.Object("""{"emptyDir": {}}"""), Mount().With("a/../../b", "subPath")))).Refuses(422, "Invalid",
                "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"a/../../b\": must not contain '..'")),
    ]);

    private static Case Case(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Pods };

    private static JsonObject Mount(string path = "/v") => new() { ["name"] = "v", ["mountPath"] = path };

    private static JsonObject Pod(Space s, string script, JsonObject volume, JsonObject mount)
    {
        var pod = PodContainers.Pod(s, script).With("x", "metadata", "labels", "app");
        pod["spec"]!["volumes"] = new JsonArray(volume.With("v", "name"));
        pod["spec"]!["containers"]![0]!["volumeMounts"] = new JsonArray(mount);
        return pod;
    }

    private static async Task RunAsync(Space s, string script, JsonObject volume, Action<JsonObject>? change = null, JsonObject? mount = null)
    {
        var pod = Pod(s, script, volume, mount ?? Mount());
        change?.Invoke(pod);
        await PodContainers.RunAsync(s, pod);
    }

    private static async Task LogIsAsync(Space s, string log)
    {
        await PodContainers.PhaseAsync(s, "Succeeded");
        // Runtimes differ in whether they end a last line that the program did not.
        Assert.Equal(log.TrimEnd('\n'), (await PodContainers.LogAsync(s)).TrimEnd('\n'));
    }
}
