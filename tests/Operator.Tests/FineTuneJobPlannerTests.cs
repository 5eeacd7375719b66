using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Tests;

public class FineTuneJobPlannerTests
{
    private static readonly OperatorOptions Options = new() { TrainerImage = "trainer:1" };

    private static Plan<FineTuneJobStatus> Plan(FineTuneJob job, FineTuneJobView? view = null, OperatorOptions? options = null) =>
        FineTuneJobPlanner.Plan(job, view ?? FineTuneJobView.Empty, options ?? Options, Make.Now);

    private static string Row(FineTuneJobStatus? status) => string.Join(" ",
        new[] { "Ready", "Reconciling", "Stalled", "Succeeded" }.Select(t => status!.Conditions.Find(t)!.Status));

    private static string Reason(FineTuneJobStatus? status) => status!.Conditions.Find("Ready")!.Reason;

    [Fact]
    public void A_new_run_gets_a_ConfigMap_then_a_Job_and_all_its_conditions_at_once()
    {
        var plan = Plan(Make.FineTuneJob());
        Assert.Equal(["ConfigMap", "Job"], plan.Apply.Select(o => o.Kind));
        Assert.Equal("Pending", plan.Status!.Phase);
        Assert.Equal("False True False Unknown", Row(plan.Status));
        Assert.All(plan.Status.Conditions!, c => Assert.Equal(1, c.ObservedGeneration));
        Assert.Equal("lora", plan.Status.Method);
    }

    [Fact]
    public void Planning_twice_gives_the_same_objects()
    {
        var job = Make.FineTuneJob();
        var (first, second) = (Plan(job), Plan(job));
        Assert.Equal(first.Apply.Select(o => k8s.KubernetesJson.Serialize(o)), second.Apply.Select(o => k8s.KubernetesJson.Serialize(o)));
    }

    public static TheoryData<string, string, string> Failures() => new()
    {
        { nameof(FailureClass.DataError), "Failed", "False False True False" },
        { nameof(FailureClass.ModelError), "Failed", "False False True False" },
        { nameof(FailureClass.Diverged), "Failed", "False False True False" },
        { nameof(FailureClass.Infrastructure), "Failed", "False False True False" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failed_Job_stalls_with_the_failure_class_and_the_trainers_words(string failure, string phase, string row)
    {
        var job = Make.FineTuneJob();
        var pod = Make.Pod("p", Make.Ended(3, Make.Result(Make.Failure(Enum.Parse<FailureClass>(failure), "line 7 is no JSON"))));
        var plan = Plan(job, Make.View(Make.Job(job, Make.Condition("Failed", "PodFailurePolicy")), pod));
        Assert.Equal(phase, plan.Status!.Phase);
        Assert.Equal(row, Row(plan.Status));
        Assert.Equal(failure, plan.Status.Conditions.Find("Stalled")!.Reason);
        Assert.Contains("line 7 is no JSON", plan.Status.Conditions.Find("Stalled")!.Message, StringComparison.Ordinal);
        Assert.Equal(7, Assert.Single(plan.Status.Attempts!).Failure!.Step);
        Assert.Empty(plan.Apply);
        Assert.Contains(plan.Events, e => e.Type == EventType.Warning && e.Reason == failure);
    }

    [Theory]
    [InlineData(3, null, "Error", "DataError")]
    [InlineData(4, "{}", "Error", "ModelError")]
    [InlineData(137, null, "OOMKilled", "OutOfMemory")]
    [InlineData(137, null, "Error", "Infrastructure")]
    [InlineData(143, null, "Error", "Interrupted")]
    [InlineData(139, "Segmentation fault", "Error", "Internal")]
    [InlineData(2, "{\"version\":\"graft.dev/result/v1alpha1\",\"surprise\":1}", "Error", "InvalidJob")]
    public void Without_a_readable_message_the_exit_code_tells_the_class(int exitCode, string? message, string reason, string expected)
    {
        var outcome = PodOutcome.Of(Make.Pod("p", Make.Ended(exitCode, message, reason)))!;
        Assert.Equal(expected, outcome.Failure!.Class.ToString());
        Assert.Contains($"code {exitCode}", outcome.Failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("not json")]
    [InlineData("{\"version\":\"graft.dev/result/v9\"}")]
    public void Exit_code_zero_without_a_result_is_a_failure(string? message) =>
        Assert.Equal(FailureClass.Internal, PodOutcome.Of(Make.Pod("p", Make.Ended(0, message)))!.Failure!.Class);

    [Fact]
    public void A_complete_Job_gives_an_artifact()
    {
        var job = Make.FineTuneJob();
        var pod = Make.Pod("p", Make.Ended(0, Make.Result(Make.Success())));
        var plan = Plan(job, Make.View(Make.Job(job, Make.Condition("Complete")), pod));
        Assert.Equal("True False False True", Row(plan.Status));
        Assert.Equal("pvc://adapters/intents-12345678", plan.Status!.Artifact!.Uri);
        Assert.Equal(0.95, plan.Status.Artifact.Metrics!["exactMatch"]);
        Assert.Equal(100, plan.Status.Progress!.Percent);
        Assert.Equal("300Mi", plan.Status.Memory!.Peak);
        Assert.Equal("F32", plan.Status.Resolved!.Precision);
        Assert.Null(plan.RequeueAfter);
    }

    [Fact]
    public void A_run_that_ended_is_never_started_again_even_when_its_Job_is_gone()
    {
        var job = Make.Trained();
        var plan = Plan(job, FineTuneJobView.Empty);
        Assert.Empty(plan.Apply);
        Assert.Empty(plan.Delete);
        Assert.Equal("Succeeded", plan.Status!.Phase);
    }

    [Theory]
    [InlineData("Complete")]
    [InlineData("Failed")]
    public void A_Job_that_ended_before_its_pod_is_known_to_have_ended_is_waited_for(string condition)
    {
        var job = Make.FineTuneJob();
        var view = Make.View(Make.Job(job, Make.Condition(condition, "PodFailurePolicy")), Make.Pod("intents-abc", Make.Running));
        var plan = FineTuneJobPlanner.Plan(job, view, new OperatorOptions(), Make.Now);
        Assert.Empty(plan.Delete);
        Assert.Equal("Running", plan.Status!.Phase);
        Assert.NotNull(plan.RequeueAfter);
    }

    [Fact]
    public void A_result_that_is_lost_with_its_pod_is_asked_for_again()
    {
        var job = Make.FineTuneJob();
        var plan = Plan(job, Make.View(Make.Job(job, Make.Condition("Complete"))));
        Assert.Equal("Job", Assert.Single(plan.Delete).Kind);
        Assert.Equal("False True False Unknown", Row(plan.Status));
    }

    [Fact]
    public void A_running_trainer_shows_its_progress()
    {
        var job = Make.FineTuneJob();
        var progress = new Progress
        {
            Phase = TrainerPhase.Training, Step = 30, Steps = 90, Loss = 0.42128, TokensPerSecond = 1234.5, RemainingSeconds = 84,
            Resolved = new(2e-4, 4, Precision.F32, "cpu"),
        };
        var plan = Plan(job, Make.View(Make.Job(job), Make.Pod("p", Make.Running)) with { Progress = progress });
        Assert.Equal("Running", plan.Status!.Phase);
        var expected = new ProgressStatus
        {
            Step = 30, Steps = 90, Percent = 33, Loss = "0.4213", TokensPerSecond = 1234, Remaining = "1m24s",
        };
        Assert.Equal(expected, plan.Status.Progress);
        Assert.Equal(Options.ProgressInterval, plan.RequeueAfter);
        Assert.Empty(plan.Apply);
    }

    public static TheoryData<string, string> StartFailures() => new()
    {
        { "ErrImagePull", "ImagePullFailed" },
        { "ImagePullBackOff", "ImagePullFailed" },
        { "InvalidImageName", "ImagePullFailed" },
        { "CreateContainerConfigError", "ContainerCreationFailed" },
    };

    [Theory]
    [MemberData(nameof(StartFailures))]
    public void What_keeps_a_pod_from_running_is_in_the_conditions_while_it_is_waited_for(string waiting, string reason)
    {
        var job = Make.FineTuneJob();
        var plan = Plan(job, Make.View(Make.Job(job), Make.Pod("p", Make.Waiting(waiting, "image nope:1 is unknown"))));
        Assert.Equal("False True False Unknown", Row(plan.Status));
        Assert.Equal("Pending", Reason(plan.Status));
        Assert.Equal(reason, plan.Status!.Conditions.Find("Reconciling")!.Reason);
        Assert.Contains($"{waiting}: image nope:1 is unknown", plan.Status.Conditions.Find("Reconciling")!.Message,
            StringComparison.Ordinal);
        Assert.Null(Assert.Single(plan.Status.Attempts!).Failure);
    }

    [Theory]
    [MemberData(nameof(StartFailures))]
    public void A_pod_that_was_not_started_within_the_limit_fails_its_run_and_can_train_no_more(string waiting, string reason)
    {
        var job = Make.FineTuneJob();
        var child = Make.Job(job);
        var pod = Make.Pod("p", Make.Waiting(waiting, "image nope:1 is unknown"), p =>
            p.Status.StartTime = Make.Now.UtcDateTime - Options.StartLimit);
        var plan = Plan(job, Make.View(child, pod));
        Assert.Equal("False False True False", Row(plan.Status));
        Assert.Equal(reason, plan.Status!.Conditions.Find("Stalled")!.Reason);
        Assert.Contains("not started within 10m", plan.Status.Conditions.Find("Stalled")!.Message, StringComparison.Ordinal);
        Assert.Equal(reason, Assert.Single(plan.Status.Attempts!).Failure!.Class);
        // First written down, then removed: a run that was about to fail must not start anew when the operator is killed in between.
        Assert.Empty(plan.Delete);
        Assert.NotNull(plan.RequeueAfter);

        job.Status = plan.Status;
        Assert.Same(child, Assert.Single(Plan(job, Make.View(child)).Delete));
        child.Status.Conditions = [Make.Condition("Failed")];
        Assert.Empty(Plan(job, Make.View(child)).Delete);
    }

    [Fact]
    public void A_pod_that_takes_long_without_failing_is_waited_for()
    {
        var job = Make.FineTuneJob();
        var pod = Make.Pod("p", Make.Waiting("ContainerCreating"), p => p.Status.StartTime = Make.Now.UtcDateTime.AddHours(-3));
        var plan = Plan(job, Make.View(Make.Job(job), pod));
        Assert.Equal("False True False Unknown", Row(plan.Status));
        Assert.Equal("Pending", plan.Status!.Conditions.Find("Reconciling")!.Reason);
    }

    [Fact]
    public void A_pod_that_cannot_be_scheduled_says_why()
    {
        var job = Make.FineTuneJob();
        var pod = Make.Pod("p", null, p => p.Status.Conditions =
            [new() { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = "claim \"adapters\" not found" }]);
        var ready = Plan(job, Make.View(Make.Job(job), pod)).Status!.Conditions.Find("Ready")!;
        Assert.Contains("claim \"adapters\" not found", ready.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_two_attempts_the_run_is_still_reconciling_and_the_failure_is_recorded()
    {
        var job = Make.FineTuneJob();
        var pod = Make.Pod("p", Make.Ended(137, null, "Error"));
        var first = Plan(job, Make.View(Make.Job(job), pod));
        Assert.Equal("False True False Unknown", Row(first.Status));
        Assert.Contains("Infrastructure", first.Status!.Conditions.Find("Ready")!.Message, StringComparison.Ordinal);
        job.Status = first.Status;
        var second = Plan(job, Make.View(Make.Job(job), pod, Make.Pod("q", Make.Running)));
        Assert.Equal([2, 1], second.Status!.Attempts!.Select(a => a.Number));
        Assert.DoesNotContain(second.Events, e => e.Reason == "AttemptFailed");
    }

    [Fact]
    public void Attempts_stay_recorded_when_their_pods_are_gone_and_only_the_last_ten_are_kept()
    {
        IList<AttemptStatus>? attempts = null;
        for (var i = 0; i < 12; i++) attempts = Attempts.Update(attempts, [Make.Pod($"p{i}", Make.Ended(137))]);
        Assert.Equal(Enumerable.Range(3, 10).Reverse(), attempts!.Select(a => a.Number));
    }

    [Fact]
    public void Suspending_stops_the_Job_and_resuming_starts_it_with_what_is_left_of_the_deadline()
    {
        var job = Make.FineTuneJob(s => s with { Suspend = true, ActiveDeadline = "10m" });
        var running = Make.Job(job);
        var stop = Plan(job, Make.View(running, Make.Pod("p", Make.Running)));
        Assert.True(Assert.IsType<V1Job>(Assert.Single(stop.Apply)).Spec.Suspend);
        Assert.Equal("False False False Unknown", Row(stop.Status));
        Assert.Equal("Suspended", Reason(stop.Status));

        var resumed = Make.FineTuneJob(s => s with { ActiveDeadline = "10m" });
        resumed.Status = stop.Status! with
        {
            Attempts = [Make.Attempt(Make.Now.AddMinutes(-9), Make.Now.AddMinutes(-6))],
        };
        running.Spec.Suspend = true;
        running.Status.StartTime = null;
        var start = Assert.IsType<V1Job>(Assert.Single(Plan(resumed, Make.View(running)).Apply));
        Assert.False(start.Spec.Suspend);
        Assert.Equal(7 * 60, start.Spec.ActiveDeadlineSeconds);
        Assert.Same(running.Spec.Template, start.Spec.Template);
    }

    [Fact]
    public void A_run_over_its_deadline_fails_with_that_reason()
    {
        var job = Make.FineTuneJob(s => s with { ActiveDeadline = "1m" });
        var plan = Plan(job, Make.View(Make.Job(job, Make.Condition("Failed", "DeadlineExceeded"))));
        Assert.Equal("DeadlineExceeded", Reason(plan.Status));
        Assert.Equal("False False True False", Row(plan.Status));
    }

    [Fact]
    public void Every_error_of_the_spec_is_named_and_nothing_runs()
    {
        var job = Make.FineTuneJob(s => s with
        {
            Model = new() { Source = "hf://org/model@" },
            Method = new() { Lora = new(), Full = new() },
            Data = s.Data with { Train = [new() { Source = "pvc://datasets/../secret" }] },
            Training = s.Training with { BatchSize = 4, MicroBatchSize = 8 },
        });
        var plan = Plan(job);
        Assert.Empty(plan.Apply);
        Assert.Equal("False False True False", Row(plan.Status));
        var message = plan.Status!.Conditions.Find("Stalled")!.Message;
        foreach (var field in new[] { "spec.method", "spec.model.source", "spec.data.train[0].source", "spec.training.microBatchSize" })
            Assert.Contains(field, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_is_looked_at_again_when_the_operator_can_do_more()
    {
        var job = Make.FineTuneJob(s => s with { Model = new() { Source = "gs://org/model" } });
        var refused = Plan(job);
        Assert.Equal("UnsupportedSource", Reason(refused.Status));
        job.Status = refused.Status;
        var substitutes = new Dictionary<string, string> { ["gs://org/model"] = "/models/m" };
        var options = Options with { Sources = new() { Substitutes = substitutes } };
        Assert.Equal(2, Plan(job, null, options).Apply.Count);
    }

    [Fact]
    public void Somebody_elses_Job_of_that_name_is_left_alone()
    {
        var job = Make.FineTuneJob();
        var foreign = Make.Job(job);
        foreign.Metadata.OwnerReferences = null;
        var plan = Plan(job, Make.View(foreign));
        Assert.Equal("NameConflict", Reason(plan.Status));
        Assert.Empty(plan.Apply);

        var earlier = Make.Job(job);
        earlier.Metadata.OwnerReferences[0].Uid = "another";
        Assert.Equal("False True False Unknown", Row(Plan(job, Make.View(earlier)).Status));
    }

    [Fact]
    public void A_finished_run_goes_after_its_time_and_not_before()
    {
        var job = Make.Trained();
        job.Spec = job.Spec with { TtlAfterFinished = new() { Succeeded = "1h" } };
        var soon = FineTuneJobPlanner.Plan(job, FineTuneJobView.Empty, Options, Make.Now.AddMinutes(20));
        Assert.Equal(TimeSpan.FromMinutes(40), soon.RequeueAfter);
        var later = FineTuneJobPlanner.Plan(job, FineTuneJobView.Empty, Options, Make.Now.AddHours(2));
        Assert.Same(job, Assert.Single(later.Delete));
    }

    [Fact]
    public void The_pass_that_sees_the_end_asks_to_be_woken_when_the_time_is_over()
    {
        var job = Make.FineTuneJob(s => s with { TtlAfterFinished = new() { Succeeded = "1h", Failed = "2h" } });
        var good = Make.View(Make.Job(job, Make.Condition("Complete")), Make.Pod("p", Make.Ended(0, Make.Result(Make.Success()))));
        Assert.Equal(TimeSpan.FromMinutes(59), Plan(job, good).RequeueAfter);
        var bad = Make.View(Make.Job(job, Make.Condition("Failed")), Make.Pod("p", Make.Ended(3)));
        Assert.Equal(TimeSpan.FromMinutes(119), Plan(job, bad).RequeueAfter);
    }

    [Fact]
    public void Words_of_the_API_and_of_the_contract_mean_the_same()
    {
        Same<ModelPrecision, Precision>();
        Same<GenerationTokens, LearnFrom>();
        Same<DataFileFormat, DataFormat>();
        Same<EvaluationMetric, Metric>();
        Same<UpdateInitialization, LoraInitialization>();
        Same<TrainedBiases, LoraBias>();
        Same<AdapterPlacement, BottleneckPlacement>();
        Same<AdapterActivation, BottleneckActivation>();

        static void Same<TApi, TContract>() where TApi : struct, Enum where TContract : struct, Enum =>
            Assert.Equal(
                Enum.GetValues<TContract>().Select(v => (v.ToString(), Convert.ToInt32(v))),
                Enum.GetValues<TApi>().Select(v => (v.ToString(), Convert.ToInt32(v))));
    }
}
