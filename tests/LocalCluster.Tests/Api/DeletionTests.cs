namespace Graft.LocalCluster.Tests.Api;

public sealed class DeletionTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task An_object_with_finalizers_stays_until_the_last_is_removed()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments";
        await cluster.PostAsync(path, Make.Deployment("a", finalizers: "\"example.com/f\""));
        var (code, marked) = await cluster.DeleteAsync(path + "/a");
        Assert.Equal(200, code);
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        Assert.Equal(2, marked["metadata"]!["generation"]!.GetValue<int>());
        var (addCode, add) = await cluster.PatchAsync(path + "/a", """{"metadata":{"finalizers":["example.com/f","example.com/g"]}}""", "merge");
        Assert.Equal(422, addCode);
        Assert.Contains("no new finalizers can be added if the object is being deleted", add["message"]!.GetValue<string>(),
            StringComparison.Ordinal);
        Assert.Equal(200, (await cluster.PatchAsync(path + "/a", """{"metadata":{"finalizers":null}}""", "merge")).Code);
        Assert.Equal(404, (await cluster.GetAsync(path + "/a")).Code);
    }

    [Fact]
    public async Task Foreground_and_orphan_leave_their_mark_for_the_garbage_collector()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments";
        await cluster.PostAsync(path, Make.Deployment("a"));
        await cluster.PostAsync(path, Make.Deployment("b"));
        var (_, foreground) = await cluster.DeleteAsync(path + "/a", """{"kind":"DeleteOptions","propagationPolicy":"Foreground"}""");
        Assert.Equal("foregroundDeletion", foreground["metadata"]!["finalizers"]![0]!.GetValue<string>());
        var (_, orphan) = await cluster.DeleteAsync(path + "/b?propagationPolicy=Orphan");
        Assert.Equal("orphan", orphan["metadata"]!["finalizers"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task Preconditions_guard_against_deleting_another_object_of_the_name()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        var (code, status) = await cluster.DeleteAsync(path + "/a", """{"preconditions":{"uid":"other"}}""");
        Assert.Equal(409, code);
        Assert.Contains("the UID in the precondition (other) does not match the UID in record (", status["message"]!.GetValue<string>(),
            StringComparison.Ordinal);
        Assert.Equal(200, (await cluster.GetAsync(path + "/a")).Code);
    }

    [Fact]
    public async Task A_running_pod_has_a_grace_period_and_another_does_not()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/pods";
        await cluster.PostAsync(path, Make.Pod("unscheduled"));
        await cluster.PostAsync(path, Make.Pod("scheduled", node: "here"));
        await cluster.DeleteAsync(path + "/unscheduled");
        Assert.Equal(404, (await cluster.GetAsync(path + "/unscheduled")).Code);
        var (_, ending) = await cluster.DeleteAsync(path + "/scheduled");
        Assert.Equal(30, ending["metadata"]!["deletionGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal(200, (await cluster.GetAsync(path + "/scheduled")).Code);
        var (code, last) = await cluster.DeleteAsync(path + "/scheduled?gracePeriodSeconds=0");
        Assert.Equal(200, code);
        Assert.Equal("Pod", last["kind"]!.GetValue<string>());
        Assert.Equal(404, (await cluster.GetAsync(path + "/scheduled")).Code);
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a","labels":{"x":"1"}}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"b"}}""");
        Assert.Equal(200, (await cluster.DeleteAsync(path + "?labelSelector=x%3D1")).Code);
        var (_, list) = await cluster.GetAsync(path);
        Assert.Equal("b", Assert.Single(list["items"]!.AsArray())!["metadata"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_namespace_ends_after_its_content_and_refuses_more()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"held","finalizers":["example.com/f"]}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"free"}}""");
        var (_, ending) = await cluster.DeleteAsync("/api/v1/namespaces/" + ns);
        Assert.Equal("Terminating", ending["status"]!["phase"]!.GetValue<string>());
        await Poll.UntilAsync(async () => (await cluster.GetAsync(path + "/free")).Code == 404);
        var (code, refused) = await cluster.PostAsync(path, """{"metadata":{"name":"late"}}""");
        Assert.Equal(403, code);
        Assert.Contains("because it is being terminated", refused["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(200, (await cluster.GetAsync("/api/v1/namespaces/" + ns)).Code);
        await cluster.PatchAsync(path + "/held", """{"metadata":{"finalizers":null}}""", "merge");
        await Poll.UntilAsync(async () => (await cluster.GetAsync("/api/v1/namespaces/" + ns)).Code == 404);
    }
}
