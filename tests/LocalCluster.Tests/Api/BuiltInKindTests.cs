using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

public sealed class BuiltInKindTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task Pods_get_the_defaults_that_describe_shows()
    {
        var ns = await cluster.NamespaceAsync();
        var (_, pod) = await cluster.PostAsync($"/api/v1/namespaces/{ns}/pods",
            Make.Pod("a", containers: """{"name":"main","image":"x:1","resources":{"limits":{"cpu":"1"}},"readinessProbe":{"httpGet":{"port":80}}}"""));
        var spec = pod["spec"]!;
        Assert.Equal("Always", spec["restartPolicy"]!.GetValue<string>());
        Assert.Equal(30, spec["terminationGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal("default", spec["serviceAccountName"]!.GetValue<string>());
        var container = spec["containers"]![0]!;
        Assert.Equal("IfNotPresent", container["imagePullPolicy"]!.GetValue<string>());
        Assert.Equal("/dev/termination-log", container["terminationMessagePath"]!.GetValue<string>());
        Assert.Equal("1", container["resources"]!["requests"]!["cpu"]!.GetValue<string>());
        Assert.Equal(3, container["readinessProbe"]!["failureThreshold"]!.GetValue<int>());
        Assert.Equal("Pending", pod["status"]!["phase"]!.GetValue<string>());
        Assert.Equal("Burstable", pod["status"]!["qosClass"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"a"},"spec":{}}""", "Pod \"a\" is invalid: spec.containers: Required value")]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"m"}]}}""", "Pod \"a\" is invalid: spec.containers[0].image: Required value")]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"m","image":"x"},{"name":"m","image":"x"}]}}""", "Pod \"a\" is invalid: spec.containers[1].name: Duplicate value: \"m\"")]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"m","image":"x","volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}""", "Pod \"a\" is invalid: spec.containers[0].volumeMounts[0].name: Not found: \"v\"")]
    public async Task Bad_pods_are_refused(string body, string message)
    {
        var (code, status) = await cluster.PostAsync("/api/v1/namespaces/default/pods", body);
        Assert.Equal(422, code);
        Assert.Equal(message, status["message"]!.GetValue<string>());
        Assert.NotEmpty(status["details"]!["causes"]!.AsArray());
    }

    [Fact]
    public async Task Jobs_get_a_selector_of_their_own_and_keep_their_template()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/batch/v1/namespaces/{ns}/jobs";
        var (code, job) = await cluster.PostAsync(path, """
            {"metadata":{"name":"a"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"x:1"}]}}}}
            """);
        Assert.Equal(201, code);
        var uid = job["metadata"]!["uid"]!.GetValue<string>();
        Assert.Equal(uid, job["spec"]!["selector"]!["matchLabels"]!["batch.kubernetes.io/controller-uid"]!.GetValue<string>());
        Assert.Equal("a", job["spec"]!["template"]!["metadata"]!["labels"]!["job-name"]!.GetValue<string>());
        Assert.Equal(6, job["spec"]!["backoffLimit"]!.GetValue<int>());
        var (changedCode, changed) = await cluster.PatchAsync(path + "/a", """{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"x:2"}]}}}}""", "strategic-merge");
        Assert.Equal(422, changedCode);
        Assert.Contains("field is immutable", changed["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(200, (await cluster.PatchAsync(path + "/a", """{"spec":{"suspend":true}}""", "merge")).Code);
    }

    [Fact]
    public async Task Only_changes_of_the_spec_count_as_generations_and_status_is_written_by_its_subresource()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments";
        var (_, first) = await cluster.PostAsync(path, Make.Deployment("a"));
        Assert.Equal(1, Generation(first));
        Assert.Equal(1, Generation((await cluster.PatchAsync(path + "/a", """{"metadata":{"labels":{"x":"y"}}}""", "merge")).Body));
        Assert.Equal(2, Generation((await cluster.PatchAsync(path + "/a", """{"spec":{"replicas":2}}""", "merge")).Body));
        var (_, ignored) = await cluster.PatchAsync(path + "/a", """{"status":{"readyReplicas":2}}""", "merge");
        Assert.Null(ignored["status"]?["readyReplicas"]);
        var (_, status) = await cluster.PatchAsync(path + "/a/status", """{"status":{"readyReplicas":2},"spec":{"replicas":9}}""", "merge");
        Assert.Equal(2, status["status"]!["readyReplicas"]!.GetValue<int>());
        Assert.Equal(2, status["spec"]!["replicas"]!.GetValue<int>());
        Assert.Equal(2, Generation(status));
    }

    [Fact]
    public async Task Scale_reads_and_writes_replicas()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments/a";
        await cluster.PostAsync($"/apis/apps/v1/namespaces/{ns}/deployments", Make.Deployment("a"));
        var (_, scale) = await cluster.GetAsync(path + "/scale");
        Assert.Equal("a=b", scale["status"]!["selector"]!.GetValue<string>());
        scale["spec"]!["replicas"] = 4;
        Assert.Equal(200, (await cluster.PutAsync(path + "/scale", scale.ToJsonString())).Code);
        Assert.Equal(4, (await cluster.GetAsync(path)).Body["spec"]!["replicas"]!.GetValue<int>());
        Assert.Equal(409, (await cluster.PutAsync(path + "/scale", scale.ToJsonString())).Code);
    }

    [Fact]
    public async Task Services_get_addresses_that_differ_and_stay()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/services";
        var (_, a) = await cluster.PostAsync(path, """{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}]}}""");
        var (_, b) = await cluster.PostAsync(path, """{"metadata":{"name":"b"},"spec":{"ports":[{"port":80}]}}""");
        Assert.NotEqual(a["spec"]!["clusterIP"]!.GetValue<string>(), b["spec"]!["clusterIP"]!.GetValue<string>());
        Assert.Equal(80, a["spec"]!["ports"]![0]!["targetPort"]!.GetValue<int>());
        var (_, kept) = await cluster.PutAsync(path + "/a", """{"metadata":{"name":"a"},"spec":{"ports":[{"port":81}]}}""");
        Assert.Equal(a["spec"]!["clusterIP"]!.GetValue<string>(), kept["spec"]!["clusterIP"]!.GetValue<string>());
        Assert.Equal(422, (await cluster.PatchAsync(path + "/a", """{"spec":{"clusterIP":"127.9.9.9"}}""", "merge")).Code);
        Assert.Equal(422, (await cluster.PostAsync(path, """{"metadata":{"name":"c"},"spec":{"ports":[{"port":0}]}}""")).Code);
    }

    [Fact]
    public async Task Strategic_merge_finds_containers_by_name()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments";
        await cluster.PostAsync(path, Make.Deployment("a"));
        var (_, patched) = await cluster.PatchAsync(path + "/a",
            """{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]},{"name":"side","image":"y:1"}]}}}}""", "strategic-merge");
        var containers = patched["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        Assert.Equal(2, containers.Count);
        var main = containers.Single(c => c!["name"]!.GetValue<string>() == "main")!;
        Assert.Equal("x:1", main["image"]!.GetValue<string>());
        Assert.Equal("1", main["env"]![0]!["value"]!.GetValue<string>());
    }

    [Fact]
    public async Task Server_side_apply_owns_fields_and_conflicts_over_them()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments/a";
        var (code, created) = await cluster.PatchAsync(path + "?fieldManager=one", Make.Deployment("a"), "apply");
        Assert.Equal(201, code);
        Assert.Equal("one", created["metadata"]!["managedFields"]![0]!["manager"]!.GetValue<string>());
        var (conflictCode, conflict) = await cluster.PatchAsync(path + "?fieldManager=two", Make.Deployment("a", replicas: 3), "apply");
        Assert.Equal(409, conflictCode);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"one\": .spec.replicas", conflict["message"]!.GetValue<string>());
        Assert.Equal("FieldManagerConflict", conflict["details"]!["causes"]![0]!["reason"]!.GetValue<string>());
        var (forcedCode, forced) = await cluster.PatchAsync(path + "?fieldManager=two&force=true", Make.Deployment("a", replicas: 3),
            "apply");
        Assert.Equal(200, forcedCode);
        Assert.Equal(3, forced["spec"]!["replicas"]!.GetValue<int>());
        Assert.Equal(422, (await cluster.PatchAsync(path, Make.Deployment("a"), "apply")).Code);
    }

    private static int Generation(JsonNode obj) => obj["metadata"]!["generation"]!.GetValue<int>();
}
