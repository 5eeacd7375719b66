using Graft.LocalCluster.Controllers.Jobs;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class IndexedJobTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("", new int[0])]
    [InlineData("0", new[] { 0 })]
    [InlineData("0,1", new[] { 0, 1 })]
    [InlineData("1,3-5,7", new[] { 1, 3, 4, 5, 7 })]
    [InlineData("0-2,8,9", new[] { 0, 1, 2, 8, 9 })]
    public void Indexes_are_written_as_runs_of_three_and_more(string text, int[] indexes)
    {
        Assert.Equal(text, JobIndexes.Format(indexes));
        Assert.Equal(indexes, JobIndexes.Parse(text, 10));
    }

    [Fact]
    public void Indexes_beyond_the_completions_are_not_read() => Assert.Equal([1, 3], JobIndexes.Parse("1,3-5,7", 4));

    [Fact]
    public void The_lowest_indexes_that_nobody_works_on_come_next()
    {
        var job = Job(j => j.Status = new V1JobStatus { CompletedIndexes = "0" });
        var plan = Decide(job, Pod("Running", 2));
        Assert.Equal([1], plan.Indexes.Select(i => i.Index));
    }

    [Fact]
    public void Of_two_pods_for_one_index_the_younger_is_withdrawn()
    {
        var young = Pod("Running", 0, age: 1);
        Assert.Equal([young], Decide(Job(), Pod("Running", 0, age: 2), young).Withdraw);
    }

    [Fact]
    public void A_success_is_an_index_in_the_status_and_then_the_pod_is_released()
    {
        var pod = Pod("Succeeded", 3);
        var plan = Decide(Job(), pod);
        Assert.Equal(("3", 1), (plan.Status.CompletedIndexes, plan.Status.Succeeded));
        Assert.Equal([pod], plan.Release);
    }

    [Theory]
    [InlineData(1, 0, "")]
    [InlineData(1, 1, "2")]
    [InlineData(0, 0, "2")]
    public void An_index_that_failed_more_often_than_allowed_is_given_up(int limit, int before, string failed)
    {
        var plan = Decide(Job(j => j.Spec.BackoffLimitPerIndex = limit), Pod("Failed", 2, failures: before));
        Assert.Equal(failed, plan.Status.FailedIndexes);
    }

    [Fact]
    public void An_index_is_tried_again_after_its_own_pause_and_knows_its_failures()
    {
        var job = Job(j => (j.Spec.BackoffLimitPerIndex, j.Spec.Completions) = (3, 1));
        Assert.Empty(Decide(job, Pod("Failed", 0, age: 9)).Indexes);
        Assert.Equal([new IndexedPod(0, 1)], Decide(job, Pod("Failed", 0, age: 11)).Indexes);
    }

    [Theory]
    [InlineData("0-1", null, "0,1", true)]
    [InlineData("0-1", null, "0", false)]
    [InlineData("0-2", 2, "0,2", true)]
    [InlineData(null, 2, "1,3", true)]
    [InlineData(null, 3, "1,3", false)]
    public void A_success_rule_is_met_by_its_indexes_or_their_number(string? indexes, int? count, string completed, bool met)
    {
        var job = Job(j => j.Spec.SuccessPolicy = new V1SuccessPolicy { Rules = [new V1SuccessPolicyRule { SucceededIndexes = indexes, SucceededCount = count }] });
        Assert.Equal(met ? "Matched rules at index 0" : null, SuccessRules.Judge(job, JobIndexes.Parse(completed, 4)));
    }

    [Fact]
    public void A_pod_says_its_index_everywhere_and_the_template_stays_as_it_is()
    {
        var job = Job();
        var pod = JobPods.Make(job, new IndexedPod(2, 1));
        Assert.Equal(("2", "2", "1"), (pod.Metadata.Annotations[JobIndexes.Annotation], pod.Metadata.Labels[JobIndexes.Annotation],
            pod.Metadata.Annotations[JobIndexes.FailuresAnnotation]));
        Assert.Equal(("job-2-", "job-2"), (pod.Metadata.GenerateName, pod.Spec.Hostname));
        Assert.Equal("metadata.labels['batch.kubernetes.io/job-completion-index']", Assert.Single(pod.Spec.Containers[0].Env).ValueFrom.FieldRef.FieldPath);
        Assert.Null(job.Spec.Template.Spec.Containers[0].Env);
    }

    private static JobPlan Decide(V1Job job, params V1Pod[] pods) => JobDecision.Decide(job, pods, Now, JobTiming.Default);

    private static V1Job Job(Action<V1Job>? change = null)
    {
        var job = new V1Job
        {
            Metadata = new V1ObjectMeta { Name = "job", NamespaceProperty = "ns", Uid = "job-uid" },
            Spec = new V1JobSpec
            {
                Completions = 4, Parallelism = 2, CompletionMode = "Indexed",
                Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "main" }] } },
            },
        };
        change?.Invoke(job);
        return job;
    }

    /// <param name="age">In seconds, since its creation and its end.</param>
    private static V1Pod Pod(string phase, int index, int failures = 0, int age = 3600) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = $"pod-{index}-{age}", NamespaceProperty = "ns", Uid = $"uid-{index}-{age}", Finalizers = [JobTally.Finalizer],
            CreationTimestamp = Now.AddSeconds(-age).UtcDateTime,
            Annotations = new Dictionary<string, string> { [JobIndexes.Annotation] = $"{index}", [JobIndexes.FailuresAnnotation] = $"{failures}" },
        },
        Spec = new V1PodSpec(),
        Status = new V1PodStatus { Phase = phase },
    };
}
