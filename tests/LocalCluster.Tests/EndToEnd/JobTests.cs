using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Tests.EndToEnd;

public sealed class JobTests(PodClusterFixture fixture) : IClassFixture<PodClusterFixture>
{
    private readonly PodCluster _cluster = fixture.Cluster;

    [Fact]
    public async Task A_job_runs_its_pod_and_completes_with_log_and_termination_message()
    {
        var job = await CreateAsync("echo hello from $POD_IP; echo '{\"ok\":true}' > /dev/termination-log");
        job = await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => Has(j, "Complete"));
        Assert.Equal(1, job.Status.Succeeded);
        Assert.Null(job.Status.Active);
        Assert.True(Has(job, "SuccessCriteriaMet"));
        Assert.NotNull(job.Status.CompletionTime);

        var pod = Assert.Single(await PodsAsync(job));
        Assert.Equal("Succeeded", pod.Status.Phase);
        Assert.Empty(pod.Metadata.Finalizers ?? []);
        Assert.StartsWith("127.", pod.Status.PodIP, StringComparison.Ordinal);
        var ended = pod.Status.ContainerStatuses[0].State.Terminated;
        Assert.Equal(("Completed", "{\"ok\":true}\n"), (ended.Reason, ended.Message));
        Assert.Equal($"hello from {pod.Status.PodIP}\n", await _cluster.LogAsync(pod.Metadata.Name));
        await _cluster.UntilEventAsync(job.Metadata.Name, "SuccessfulCreate", pod.Metadata.Name);
        await _cluster.UntilEventAsync(job.Metadata.Name, "Completed");
        foreach (var reason in (string[])["Scheduled", "Pulled", "Created", "Started"]) await _cluster.UntilEventAsync(pod.Metadata.Name, reason);
    }

    [Fact]
    public async Task A_failing_pod_is_replaced_until_the_limit_is_reached()
    {
        var job = await CreateAsync("exit 1", j => j.Spec.BackoffLimit = 1);
        job = await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => Has(j, "Failed"));
        var condition = job.Status.Conditions.Single(c => c.Type == "Failed");
        Assert.Equal(("BackoffLimitExceeded", "Job has reached the specified backoff limit"), (condition.Reason, condition.Message));
        Assert.Equal(2, job.Status.Failed);
        Assert.Equal(2, (await PodsAsync(job)).Count);
    }

    [Fact]
    public async Task An_exit_code_of_the_failure_policy_fails_the_job_at_once()
    {
        var job = await CreateAsync("exit 13", j => j.Spec.PodFailurePolicy = new V1PodFailurePolicy
        {
            Rules =
            [
                new V1PodFailurePolicyRule
                {
                    Action = "FailJob",
                    OnExitCodes = new V1PodFailurePolicyOnExitCodesRequirement { ContainerName = "main", OperatorProperty = "In", Values = [12, 13] },
                },
            ],
        });
        job = await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => Has(j, "Failed"));
        var condition = job.Status.Conditions.Single(c => c.Type == "Failed");
        Assert.Equal("PodFailurePolicy", condition.Reason);
        Assert.Contains("failed with exit code 13 matching FailJob rule at index 0", condition.Message, StringComparison.Ordinal);
        Assert.Single(await PodsAsync(job));
    }

    [Fact]
    public async Task Suspending_stops_the_pod_without_counting_it_and_resuming_starts_anew()
    {
        var job = await CreateAsync("trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j!.Status?.Active == 1);
        var name = job.Metadata.Name;
        await SuspendAsync(name, true);
        job = await _cluster.UntilAsync<V1Job>(name, j => Has(j, "Suspended") && j!.Status.Active is null && (j.Status.Terminating ?? 0) == 0);
        Assert.Null(job.Status.StartTime);
        await SuspendAsync(name, false);
        job = await _cluster.UntilAsync<V1Job>(name, j => j!.Status?.Active == 1);
        Assert.Null(job.Status.Failed);
        await _cluster.Client.DeleteAsync(job);
    }

    [Fact]
    public async Task Deleting_a_job_takes_its_running_pod_with_it()
    {
        var job = await CreateAsync("trap 'exit 0' TERM; while :; do sleep 0.05; done");
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j!.Status?.Active == 1);
        var pod = Assert.Single(await PodsAsync(job));
        await _cluster.Client.DeleteAsync(job);
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p is null);
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j is null);
    }

    [Fact]
    public async Task Foreground_deletion_waits_for_the_pod()
    {
        var job = await CreateAsync("trap 'exit 0' TERM; while :; do sleep 0.05; done");
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j!.Status?.Active == 1);
        var pod = Assert.Single(await PodsAsync(job));
        await _cluster.Client.Resource<V1Job>().DeleteAsync(job.Metadata.Name, "default", new DeleteOptions { PropagationPolicy = "Foreground" });
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j is null);
        Assert.Null(await _cluster.Client.GetAsync<V1Pod>(pod.Metadata.Name, "default"));
    }

    [Fact]
    public async Task A_finished_job_goes_after_its_time_to_live()
    {
        var job = await CreateAsync("exit 0", j => j.Spec.TtlSecondsAfterFinished = 1);
        await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => j is null);
    }

    [Fact]
    public async Task A_job_over_its_deadline_is_stopped_and_failed()
    {
        var job = await CreateAsync("trap 'exit 0' TERM; while :; do sleep 0.05; done", j => j.Spec.ActiveDeadlineSeconds = 2);
        job = await _cluster.UntilAsync<V1Job>(job.Metadata.Name, j => Has(j, "Failed"));
        Assert.Equal("DeadlineExceeded", job.Status.Conditions.Single(c => c.Type == "Failed").Reason);
    }

    private Task<V1Job> CreateAsync(string script, Action<V1Job>? change = null)
    {
        var job = new V1Job
        {
            ApiVersion = "batch/v1", Kind = "Job",
            Metadata = new V1ObjectMeta { Name = _cluster.Name("job"), NamespaceProperty = "default" },
            Spec = new V1JobSpec
            {
                Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [PodCluster.Container(script)] } },
            },
        };
        change?.Invoke(job);
        return _cluster.Client.CreateAsync(job);
    }

    private Task<V1Job> SuspendAsync(string name, bool suspend) => _cluster.Client.Resource<V1Job>().PatchAsync(
        name, "default", Patch.Merge(new System.Text.Json.Nodes.JsonObject { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["suspend"] = suspend } }));

    private Task<IReadOnlyList<V1Pod>> PodsAsync(V1Job job) => _cluster.Client.ListAsync<V1Pod>("default", $"job-name={job.Metadata.Name}");

    private static bool Has(V1Job? job, string condition) => job?.Status?.Conditions?.Any(c => c.Type == condition && c.Status == "True") == true;
}
