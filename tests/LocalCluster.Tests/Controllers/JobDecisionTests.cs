using Graft.LocalCluster.Controllers.Jobs;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class JobDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly JobTiming Timing = JobTiming.Default;
    private int _uids;

    [Fact]
    public void A_new_job_starts_and_creates_its_pods()
    {
        var plan = Decide(Job(j => (j.Spec.Completions, j.Spec.Parallelism) = (3, 2)));
        Assert.Equal(2, plan.Create);
        Assert.Equal(2, plan.Status.Active);
        Assert.Equal(Now.UtcDateTime, plan.Status.StartTime);
    }

    [Fact]
    public void Near_its_end_a_job_creates_no_more_pods_than_completions_are_missing()
    {
        var job = Job(j => (j.Spec.Completions, j.Spec.Parallelism, j.Status) = (3, 2, new V1JobStatus { Succeeded = 2 }));
        Assert.Equal(1, Decide(job).Create);
    }

    [Fact]
    public void Counting_an_end_takes_three_steps_each_of_which_can_be_repeated()
    {
        var job = Job();
        var pod = Pod("Succeeded");
        var first = Decide(job, pod);
        Assert.Equal([pod.Metadata.Uid], first.Status.UncountedTerminatedPods.Succeeded);
        Assert.Empty(first.Release);
        Assert.Null(first.Status.Succeeded);
        Assert.NotNull(first.Again);

        job.Status = first.Status;
        var second = Decide(job, pod);
        Assert.Equal([pod], second.Release);
        Assert.Null(second.Status.Succeeded);

        pod.Metadata.Finalizers = [];
        var third = Decide(job, pod);
        Assert.Equal(1, third.Status.Succeeded);
        Assert.Null(third.Status.UncountedTerminatedPods.Succeeded);
        Assert.Equal("True", Condition(third, "Complete")!.Status);
        Assert.Equal(Now.UtcDateTime, third.Status.CompletionTime);
        Assert.Contains(third.Events, e => e is { Reason: "Completed", Message: "Job completed" });
    }

    [Fact]
    public void A_pod_that_is_gone_before_its_finalizer_was_removed_still_counts_once()
    {
        var job = Job(j => j.Status = new V1JobStatus { UncountedTerminatedPods = new V1UncountedTerminatedPods { Failed = ["x"] }, Failed = 1 });
        Assert.Equal(2, Decide(job).Status.Failed);
    }

    [Theory]
    [InlineData(0, 1, "BackoffLimitExceeded")]
    [InlineData(1, 1, null)]
    [InlineData(1, 2, "BackoffLimitExceeded")]
    public void More_failures_than_the_limit_fail_the_job(int limit, int failures, string? reason)
    {
        var pods = Enumerable.Range(0, failures).Select(_ => Pod("Failed", exitCode: 1)).ToArray();
        Assert.Equal(reason, Condition(Decide(Job(j => j.Spec.BackoffLimit = limit), pods), "FailureTarget")?.Reason);
    }

    [Theory]
    [InlineData(0, 0, 10)]
    [InlineData(4, 0, 6)]
    [InlineData(11, 1, 0)]
    [InlineData(11, 0, 0, 9)]
    public void A_failed_pod_is_replaced_after_a_pause_that_doubles(int secondsAgo, int create, int pause, int secondFailureAgo = -1)
    {
        var pods = new List<V1Pod> { Pod("Failed", exitCode: 1, finished: Now.AddSeconds(-secondsAgo)) };
        if (secondFailureAgo >= 0) pods.Add(Pod("Failed", exitCode: 1, finished: Now.AddSeconds(-secondFailureAgo)));
        var job = Job();
        job.Status = Decide(job, [.. pods]).Status;
        foreach (var pod in pods) pod.Metadata.Finalizers = [];
        var plan = Decide(job, [.. pods]);
        Assert.Equal(create, plan.Create);
        if (pause > 0) Assert.Equal(pause, plan.Again!.Value.TotalSeconds);
        if (secondFailureAgo >= 0) Assert.Equal(20 - secondFailureAgo, plan.Again!.Value.TotalSeconds);
    }

    [Theory]
    [InlineData("FailJob", 13, "PodFailurePolicy", 1)]
    [InlineData("FailJob", 14, null, 1)]
    [InlineData("Ignore", 13, null, 0)]
    [InlineData("Count", 13, null, 1)]
    public void The_failure_policy_says_what_an_exit_code_means(string action, int exitCode, string? reason, int counted)
    {
        var job = Job(j => j.Spec.PodFailurePolicy = Policy(action, "In", 13));
        var plan = Decide(job, Pod("Failed", exitCode: exitCode));
        Assert.Equal(reason, Condition(plan, "FailureTarget")?.Reason);
        Assert.Equal(counted, plan.Status.UncountedTerminatedPods.Failed?.Count ?? 0);
        if (reason is not null)
            Assert.Equal("Container main for pod ns/pod-1 failed with exit code 13 matching FailJob rule at index 0", Condition(plan, "FailureTarget")!.Message);
    }

    [Fact]
    public void The_first_rule_that_matches_decides()
    {
        var policy = Policy("Ignore", "NotIn", 13);
        policy.Rules.Add(Policy("FailJob", "In", 14).Rules[0]);
        Assert.Equal(FailureAction.Ignore, PodFailureRules.Judge(policy, Pod("Failed", exitCode: 14)).Action);
        Assert.Equal(FailureAction.Count, PodFailureRules.Judge(policy, Pod("Failed", exitCode: 13)).Action);
    }

    [Fact]
    public void A_pod_being_deleted_is_replaced_at_once_unless_its_exit_code_matters()
    {
        var pod = Pod("Running");
        pod.Metadata.DeletionTimestamp = Now.UtcDateTime;
        Assert.Equal(1, Decide(Job(), pod).Create);
        Assert.Equal(0, Decide(Job(j => j.Spec.PodFailurePolicy = Policy("FailJob", "In", 13)), pod).Create);
    }

    [Fact]
    public void A_decided_job_stops_its_other_pods_and_is_finished_only_when_they_are_gone()
    {
        var job = Job(j =>
        {
            (j.Spec.Completions, j.Spec.Parallelism) = (1, 2);
            j.Status = new V1JobStatus { Conditions = [new V1JobCondition { Type = "FailureTarget", Status = "True", Reason = "X", Message = "y" }] };
        });
        var running = Pod("Running");
        var plan = Decide(job, running);
        Assert.Equal([running], plan.Delete);
        Assert.Null(Condition(plan, "Failed"));
        Assert.Equal(("X", "y"), (Condition(Decide(job), "Failed")!.Reason, Condition(Decide(job), "Failed")!.Message));
    }

    [Fact]
    public void A_suspended_job_withdraws_its_pods_uncounted_and_a_resumed_one_starts_its_clock_anew()
    {
        var pod = Pod("Running");
        var suspended = Decide(Job(j => (j.Spec.Suspend, j.Status) = (true, new V1JobStatus { StartTime = Now.UtcDateTime })), pod);
        Assert.Equal([pod], suspended.Withdraw);
        Assert.Null(suspended.Status.StartTime);
        Assert.Equal("JobSuspended", Condition(suspended, "Suspended")!.Reason);

        var resumed = Decide(Job(j => j.Status = suspended.Status));
        Assert.Equal(("False", "JobResumed"), (Condition(resumed, "Suspended")!.Status, Condition(resumed, "Suspended")!.Reason));
        Assert.NotNull(resumed.Status.StartTime);
        Assert.Equal(1, resumed.Create);
    }

    [Theory, InlineData(59, null), InlineData(60, "DeadlineExceeded")]
    public void A_deadline_is_watched_and_kept(int ran, string? reason)
    {
        var job = Job(j => (j.Spec.ActiveDeadlineSeconds, j.Status) = (60, new V1JobStatus { StartTime = Now.AddSeconds(-ran).UtcDateTime }));
        var plan = Decide(job, Pod("Running"));
        Assert.Equal(reason, Condition(plan, "FailureTarget")?.Reason);
        if (reason is null) Assert.Equal(TimeSpan.FromSeconds(1), plan.Again);
    }

    [Theory, InlineData(9, false), InlineData(10, true)]
    public void A_finished_job_lives_as_long_as_it_says(int ago, bool deleted)
    {
        var job = Job(j =>
        {
            j.Spec.TtlSecondsAfterFinished = 10;
            j.Status = new V1JobStatus
            {
                CompletionTime = Now.AddSeconds(-ago).UtcDateTime, Conditions = [new V1JobCondition { Type = "Complete", Status = "True" }],
            };
        });
        Assert.Equal(deleted, Decide(job).DeleteJob);
    }

    [Fact]
    public void A_job_being_deleted_creates_nothing_and_lets_its_ended_pods_go()
    {
        var job = Job(j => j.Metadata.DeletionTimestamp = Now.UtcDateTime);
        var ended = Pod("Failed", exitCode: 1, finished: Now.AddHours(-1));
        var plan = Decide(job, ended);
        Assert.Equal(0, plan.Create);
        Assert.Equal([ended], plan.Release);
    }

    private static JobPlan Decide(V1Job job, params V1Pod[] pods) => JobDecision.Decide(job, pods, Now, Timing);

    private static V1JobCondition? Condition(JobPlan plan, string type) => JobConditions.Find(plan.Status, type);

    private static V1Job Job(Action<V1Job>? change = null)
    {
        var job = new V1Job
        {
            Metadata = new V1ObjectMeta { Name = "job", NamespaceProperty = "ns", Uid = "job-uid" },
            Spec = new V1JobSpec
            {
                Completions = 1, Parallelism = 1, BackoffLimit = 6, Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never" } },
            },
        };
        change?.Invoke(job);
        return job;
    }

    private V1Pod Pod(string phase, int exitCode = 0, DateTimeOffset? finished = null) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = $"pod-{++_uids}", NamespaceProperty = "ns", Uid = $"uid-{_uids}", Finalizers = [JobTally.Finalizer], CreationTimestamp = Now.UtcDateTime,
        },
        Spec = new V1PodSpec(),
        Status = new V1PodStatus
        {
            Phase = phase,
            ContainerStatuses = phase is "Running" or "Pending" ? null :
            [
                new V1ContainerStatus
                {
                    Name = "main",
                    State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = exitCode, FinishedAt = (finished ?? Now.AddHours(-1)).UtcDateTime } },
                },
            ],
        },
    };

    private static V1PodFailurePolicy Policy(string action, string op, params int[] codes) => new()
    {
        Rules = [new V1PodFailurePolicyRule { Action = action, OnExitCodes = new V1PodFailurePolicyOnExitCodesRequirement { OperatorProperty = op, Values = [.. codes] } }],
    };
}
