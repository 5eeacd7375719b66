using System.Text.Json.Nodes;

namespace Graft.Integration.Harness;

/// <summary>A namespace of its own for each test, removed afterwards, and the objects that most tests need in it.</summary>
internal sealed class TestNamespace : IAsyncDisposable
{
    private const int SeedPartBytes = 700_000;
    private readonly Cluster _cluster;

    private TestNamespace(Cluster cluster, string name)
    {
        _cluster = cluster;
        Name = name;
    }

    public string Name { get; }
    public Api Api => _cluster.Api;

    public static async Task<TestNamespace> CreateAsync(Cluster cluster)
    {
        var name = $"graft-test-{Guid.NewGuid():N}"[..20];
        (await cluster.Api.CreateAsync("/api/v1/namespaces", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Namespace",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                // Pods of Graft keep to the restricted standard; where it is enforced, a pod that does not is refused.
                ["labels"] = new JsonObject { ["pod-security.kubernetes.io/enforce"] = "restricted" },
            },
        })).Object();
        return new TestNamespace(cluster, name);
    }

    public async Task ClaimAsync(string name)
    {
        var spec = new JsonObject
        {
            ["accessModes"] = new JsonArray("ReadWriteOnce"),
            ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = "1Gi" } },
        };
        if (_cluster.StorageClass is { } storageClass) spec["storageClassName"] = storageClass;
        (await Api.CreateAsync(Api.Core(Name, "persistentvolumeclaims"), Object("v1", "PersistentVolumeClaim", name, spec))).Object();
    }

    /// <summary>
    /// Puts files onto a claim with nothing but the API: ConfigMaps carry them in parts, and a pod of the trainer's image, with its command
    /// replaced by a script, joins the parts. So an image under test has to have <c>/bin/sh</c>, <c>cat</c>, <c>mkdir</c> and <c>dirname</c>.
    /// </summary>
    public async Task SeedAsync(string claim, IReadOnlyDictionary<string, byte[]> files)
    {
        var script = new List<string> { "set -e" };
        var volumes = new JsonArray { Volume("target", new JsonObject { ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim } }) };
        var mounts = new JsonArray { Mount("target", "/graft/output") };
        var part = 0;
        foreach (var (path, bytes) in files)
        {
            var target = $"\"${{GRAFT_OUTPUT_DIR:-/graft/output}}/{path}\"";
            script.Add($"mkdir -p \"$(dirname {target})\"; : > {target}");
            foreach (var chunk in bytes.Chunk(SeedPartBytes))
            {
                var name = $"seed-{claim}-{part++}";
                (await Api.CreateAsync(Api.Core(Name, "configmaps"), new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "ConfigMap",
                    ["metadata"] = new JsonObject { ["name"] = name },
                    ["binaryData"] = new JsonObject { ["part"] = Convert.ToBase64String(chunk) },
                })).Object();
                volumes.Add(Volume(name, new JsonObject { ["configMap"] = new JsonObject { ["name"] = name } }));
                mounts.Add(Mount(name, $"/graft/files/{name}", readOnly: true));
                script.Add($"cat \"${{GRAFT_FILES_DIR:-/graft/files}}/{name}/part\" >> {target}");
            }
        }
        await RunScriptAsync($"seed-{claim}", string.Join("\n", script), volumes, mounts);
    }

    /// <summary>A FineTuneJob as the tests use it: the quickstart's model and data on the claim <c>inputs</c>, the artifact on <c>adapters</c>.</summary>
    public static JsonObject FineTuneJob(string name, int steps = 4) => new()
    {
        ["apiVersion"] = "graft.dev/v1alpha1",
        ["kind"] = "FineTuneJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = JsonNode.Parse($$$$"""
            {
              "model": {"source": "pvc://inputs/model"},
              "objective": {"generation": {"learnFrom": "Completion"}},
              "data": {"train": [{"source": "pvc://inputs/data/train.jsonl"}]},
              "method": {"lora": {"rank": 4, "alpha": 8}},
              "training": {"duration": {"steps": {{{{steps}}}}}, "batchSize": 8, "learningRate": 0.001},
              "output": {"pvc": {"claimName": "adapters"}}
            }
            """),
    };

    public static JsonObject AdapterDeployment(string name, string job, int replicas = 1) => new()
    {
        ["apiVersion"] = "graft.dev/v1alpha1",
        ["kind"] = "AdapterDeployment",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = JsonNode.Parse($$$$"""
            {
              "model": {"source": "pvc://inputs/model"},
              "engine": {"graft": {}},
              "replicas": {{{{replicas}}}},
              "adapters": [{"name": "tickets", "from": {"fineTuneJobRef": {"name": "{{{{job}}}}"}}}]
            }
            """),
    };

    public async Task<JsonObject> UntilAsync(string path, string what, TimeSpan limit, Func<JsonObject, bool> holds)
    {
        JsonObject? last = null;
        return await Poll.UntilAsync(
            $"{path}: {what}",
            limit,
            async () => (last = await Api.FindAsync(path)) is { } found && holds(found) ? found : null,
            () => $"Last seen: {last?["status"]?.ToJsonString()} {_cluster.OperatorOutput}");
    }

    public ValueTask DisposeAsync() => new(Api.DeleteAsync($"/api/v1/namespaces/{Name}"));

    // What the trainer's pods ask for too, so that a namespace that enforces the restricted standard takes it, and the trainer can
    // read what it wrote.
    private static JsonNode PodSecurity => JsonNode.Parse("""
        {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
        """)!;

    private static JsonNode ContainerSecurity => JsonNode.Parse("""
        {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}
        """)!;

    /// <summary>Starts a pod of the trainer's image with a script instead of its program.</summary>
    public async Task StartScriptAsync(string name, string script, JsonArray? volumes = null, JsonArray? mounts = null)
    {
        var pod = Object("v1", "Pod", name, new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["automountServiceAccountToken"] = false,
            ["securityContext"] = PodSecurity,
            ["containers"] = new JsonArray
            {
                new JsonObject
                {
                    ["name"] = "script",
                    ["image"] = _cluster.TrainerImage,
                    ["securityContext"] = ContainerSecurity,
                    ["command"] = new JsonArray("/bin/sh", "-c", script),
                    ["volumeMounts"] = mounts ?? [],
                },
            },
            ["volumes"] = volumes ?? [],
        });
        (await Api.CreateAsync(Api.Core(Name, "pods"), pod)).Object();
    }

    private async Task RunScriptAsync(string name, string script, JsonArray volumes, JsonArray mounts)
    {
        await StartScriptAsync(name, script, volumes, mounts);
        var path = $"{Api.Core(Name, "pods")}/{name}";
        var ended = await UntilAsync(
            path, "ended", TimeSpan.FromMinutes(3), p => p.Text("status.phase") is "Succeeded" or "Failed" || IsHopeless(p));
        if (ended.Text("status.phase") != "Succeeded")
            throw new InvalidOperationException($"{name} failed: {ended["status"]!.ToJsonString()} {await Api.TextAsync($"{path}/log")}");
    }

    private static bool IsHopeless(JsonObject pod) =>
        pod.Text("status.containerStatuses.0.state.waiting.reason")
            is "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "CreateContainerError";

    private static JsonObject Object(string apiVersion, string kind, string name, JsonObject spec) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = spec,
    };

    private static JsonObject Volume(string name, JsonObject source)
    {
        source["name"] = name;
        return source;
    }

    private static JsonObject Mount(string name, string path, bool readOnly = false) =>
        new() { ["name"] = name, ["mountPath"] = path, ["readOnly"] = readOnly };
}
