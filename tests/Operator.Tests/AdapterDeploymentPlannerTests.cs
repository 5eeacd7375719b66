using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Rollout;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Tests;

public class AdapterDeploymentPlannerTests
{
    private const string Path = "/artifacts/adapters/intents-12345678";
    private static readonly OperatorOptions Options = new() { ServerImage = "server:1", ServiceAddress = ServiceAddress.ClusterIP };

    private static Plan<AdapterDeploymentStatus> Plan(AdapterDeployment resource, AdapterDeploymentView view) =>
        AdapterDeploymentPlanner.Plan(resource, view, Options, Make.Now);

    private static AdapterDeploymentView View(AdapterDeployment resource, IReadOnlyList<V1Pod> pods, params FineTuneJob[] runs) => new()
    {
        Deployment = Make.Deployment(resource, pods.Count(AdapterDeploymentView.IsReady)),
        Service = Make.Service(resource),
        Pods = pods,
        FineTuneJobs = runs.ToDictionary(r => r.Metadata.Name),
        Engines = pods.Where(AdapterDeploymentView.IsReady)
            .ToDictionary(p => p.Metadata.Name, _ => new EngineReport(new Dictionary<string, string>())),
    };

    private static AdapterDeploymentView Holding(AdapterDeploymentView view, string pod, string adapter, string path) => view with
    {
        Engines = view.Engines.ToDictionary(
            e => e.Key,
            e => e.Key == pod ? new EngineReport(new Dictionary<string, string> { [adapter] = path }) : e.Value),
    };

    private static string Row(AdapterDeploymentStatus? status) => string.Join(" ",
        new[] { "Ready", "Reconciling", "Stalled", "Available", "Progressing" }.Select(t => status!.Conditions.Find(t)!.Status));

    [Fact]
    public void A_new_deployment_mounts_the_claim_of_a_run_that_is_not_done_so_that_loading_needs_no_new_pod()
    {
        var resource = Make.AdapterDeployment();
        var runs = new Dictionary<string, FineTuneJob> { ["intents"] = Make.FineTuneJob() };
        var plan = Plan(resource, AdapterDeploymentView.Empty with { FineTuneJobs = runs });
        var deployment = Assert.IsType<V1Deployment>(plan.Apply[0]);
        Assert.Contains(deployment.Spec.Template.Spec.Containers[0].VolumeMounts, m =>
            m.MountPath == "/artifacts/adapters" && m.ReadOnlyProperty == true);
        Assert.Equal(
            ["--model", "/graft/claims/models/tiny", "--served-model-name", "support", "--port", "8000"],
            deployment.Spec.Template.Spec.Containers[0].Args);
        Assert.Equal("Service", plan.Apply[1].Kind);
        Assert.Equal("False True False False True", Row(plan.Status));
        Assert.Equal(CandidateState.Waiting, Assert.Single(plan.Status!.Adapters!).Candidate!.State);
    }

    [Fact]
    public void The_pod_is_the_same_before_and_after_the_run_is_done()
    {
        var resource = Make.AdapterDeployment();
        static string Pod(Plan<AdapterDeploymentStatus> plan) => k8s.KubernetesJson.Serialize(((V1Deployment)plan.Apply[0]).Spec.Template);
        var before = Plan(resource, View(resource, [], Make.FineTuneJob()));
        var after = Plan(resource, View(resource, [], Make.Trained()));
        Assert.Equal(Pod(before), Pod(after));
    }

    [Fact]
    public void Every_ready_pod_is_asked_to_load_what_it_does_not_hold()
    {
        var resource = Make.AdapterDeployment(s => s with { Replicas = 3 });
        V1Pod[] pods =
            [Make.ServerPod("a", true, "adapters"), Make.ServerPod("b", true, "adapters"), Make.ServerPod("c", false, "adapters")];
        var view = View(resource, pods, Make.Trained());
        view = Holding(view, "a", "intents", Path);
        var call = Assert.IsType<EngineCall.Load>(Assert.Single(AdapterDeploymentPlanner.EngineCallsOf(resource, view, Options)));
        Assert.Equal(("b", "intents", Path), (call.Pod.Metadata.Name, call.Adapter, call.Path));
    }

    [Fact]
    public void A_path_that_changed_is_unloaded_before_it_is_loaded_and_what_nobody_wants_is_unloaded()
    {
        var resource = Make.AdapterDeployment();
        var view = View(resource, [Make.ServerPod("a", true, "adapters")], Make.Trained()) with
        {
            Engines = new Dictionary<string, EngineReport>
            {
                ["a"] = new(new Dictionary<string, string>
                {
                    ["intents"] = "/artifacts/adapters/older",
                    ["gone"] = "/artifacts/adapters/gone",
                }),
            },
        };
        var calls = AdapterDeploymentPlanner.EngineCallsOf(resource, view, Options);
        Assert.Equal(["Unload intents", "Unload gone", "Load intents"], calls.Select(c => $"{c.GetType().Name} {c.Adapter}"));
    }

    [Fact]
    public void A_pod_without_the_mount_keeps_what_it_serves_until_it_is_rolled()
    {
        var resource = Make.AdapterDeployment();
        var view = View(resource, [Make.ServerPod("old", true, "other")], Make.Trained());
        view = Holding(view, "old", "intents", "/artifacts/other/older");
        Assert.Empty(AdapterDeploymentPlanner.EngineCallsOf(resource, view, Options));
    }

    [Fact]
    public void It_is_ready_only_when_every_ready_pod_lists_the_wanted_path()
    {
        var resource = Make.AdapterDeployment(s => s with { Replicas = 2 });
        var view = View(resource, [Make.ServerPod("a", true, "adapters"), Make.ServerPod("b", true, "adapters")], Make.Trained());
        var one = Plan(resource, Holding(view, "a", "intents", Path));
        Assert.Equal("False True False True True", Row(one.Status));
        Assert.Equal(new AdapterReplicas { Wanted = 2, Loaded = 1 }, one.Status!.Adapters![0].Replicas);
        Assert.Null(one.Status.Adapters[0].Current);

        var both = Plan(resource, Holding(Holding(view, "a", "intents", Path), "b", "intents", Path));
        Assert.Equal("True False False True True", Row(both.Status));
        Assert.Equal("Serving", both.Status!.Phase);
        Assert.Equal("1/1", both.Status.AdapterSummary);
        Assert.Equal(Make.Digest, both.Status.Adapters![0].Current!.Digest);
        Assert.Equal("http://127.9.0.1:8000", both.Status.Endpoint);
        Assert.Contains(both.Events, e => e.Reason == "AdapterServed");

        var wrong = Plan(resource, Holding(Holding(view, "a", "intents", Path), "b", "intents", "/artifacts/adapters/older"));
        Assert.Equal("False", wrong.Status!.Conditions.Find("Ready")!.Status);
    }

    [Fact]
    public void An_engine_that_refuses_is_quoted_and_the_others_go_on()
    {
        AdapterSpec[] adapters = [Make.Adapter("intents"), Make.Adapter("broken", uri: "pvc://adapters/broken")];
        var resource = Make.AdapterDeployment(s => s with { Adapters = adapters });
        var view = Holding(View(resource, [Make.ServerPod("a", true, "adapters")], Make.Trained()), "a", "intents", Path) with
        {
            Troubles = [new("a", "broken", "LoRA rank 64 is greater than max_lora_rank 16.", IsRefusal: true)],
        };
        var plan = Plan(resource, view);
        Assert.Equal("False False True True False", Row(plan.Status));
        Assert.Equal("Degraded", plan.Status!.Phase);
        Assert.Equal("LoadFailed", plan.Status.Conditions.Find("Stalled")!.Reason);
        Assert.Contains("LoRA rank 64 is greater than max_lora_rank 16.", plan.Status.Conditions.Find("Stalled")!.Message,
            StringComparison.Ordinal);
        Assert.NotNull(plan.Status.Adapters![0].Current);
        Assert.Equal("1/2", plan.Status.AdapterSummary);
    }

    [Fact]
    public void An_engine_that_gave_no_verdict_is_loading_on_and_asked_again_soon()
    {
        var resource = Make.AdapterDeployment();
        var view = View(resource, [Make.ServerPod("a", true, "adapters")], Make.Trained()) with
        {
            Troubles = [new("a", "intents", "no answer within 60 s", IsRefusal: false)],
        };
        var plan = Plan(resource, view);
        Assert.Equal("False True False True True", Row(plan.Status));
        var candidate = Assert.Single(plan.Status!.Adapters!).Candidate!;
        Assert.Equal((CandidateState.Loading, "pod a: no answer within 60 s"), (candidate.State, candidate.Message));
        Assert.Equal(TimeSpan.FromSeconds(1), plan.RequeueAfter);
    }

    public static TheoryData<string, string, string> Unusable() => new()
    {
        { "hf://org/adapter", "UnsupportedSource", "hf://" },
        { "pvc://adapters/../secret", "InvalidSpec", "'..'" },
        { "file:///tmp/adapter", "UnsupportedSource", "file://" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void An_artifact_that_cannot_be_reached_stalls_with_the_reason(string uri, string reason, string words)
    {
        var resource = Make.AdapterDeployment(s => s with { Adapters = [Make.Adapter("one", uri: uri)] });
        var plan = Plan(resource, View(resource, [Make.ServerPod("a")]));
        Assert.Equal(reason, plan.Status!.Conditions.Find("Stalled")!.Reason);
        Assert.Contains(words, plan.Status.Conditions.Find("Stalled")!.Message, StringComparison.Ordinal);
        Assert.Equal(2, plan.Apply.Count);
    }

    [Fact]
    public void A_run_that_failed_a_whole_model_and_the_base_models_own_name_are_refused()
    {
        var failed = Make.FineTuneJob();
        failed.Status = new() { Phase = "Failed", Conditions = [Conditions.New("Stalled", true, "DataError", "line 7")] };
        Refused(Make.AdapterDeployment(), "FineTuneJobFailed", failed);
        Refused(Make.AdapterDeployment(), "InvalidSpec", Make.Trained(kind: ArtifactKind.Model));
        Refused(Make.AdapterDeployment(s => s with { Adapters = [Make.Adapter("support")] }), "InvalidSpec", Make.Trained());

        static void Refused(AdapterDeployment resource, string reason, FineTuneJob run) =>
            Assert.Equal(
                reason,
                Plan(resource, View(resource, [Make.ServerPod("a", true, "adapters")], run)).Status!.Conditions.Find("Stalled")!.Reason);
    }

    [Fact]
    public void What_was_resolved_is_served_on_after_the_runs_object_is_gone()
    {
        var resource = Make.AdapterDeployment();
        var pods = new[] { Make.ServerPod("a", true, "adapters") };
        resource.Status = Plan(resource, Holding(View(resource, pods, Make.Trained()), "a", "intents", Path)).Status;
        var fresh = View(resource, [Make.ServerPod("b", true, "adapters")]);
        var load = Assert.IsType<EngineCall.Load>(Assert.Single(AdapterDeploymentPlanner.EngineCallsOf(resource, fresh, Options)));
        Assert.Equal(Path, load.Path);
    }

    [Fact]
    public void Two_adapters_on_two_claims_mount_both_and_their_order_does_not_matter()
    {
        IList<string> Mounts(params string[] claims)
        {
            var adapters = claims.Select(c => Make.Adapter("on-" + c, uri: $"pvc://{c}/adapter"));
            var resource = Make.AdapterDeployment(s => s with { Adapters = [.. adapters] });
            var deployment = (V1Deployment)Plan(resource, AdapterDeploymentView.Empty).Apply[0];
            return [.. deployment.Spec.Template.Spec.Containers[0].VolumeMounts.Select(m => $"{m.Name} {m.MountPath}")];
        }
        Assert.Contains(Mounts("a", "b"), m => m.EndsWith("/artifacts/a", StringComparison.Ordinal));
        Assert.Contains(Mounts("a", "b"), m => m.EndsWith("/artifacts/b", StringComparison.Ordinal));
        Assert.Equal(Mounts("a", "b"), Mounts("b", "a"));
    }

    [Fact]
    public void A_pod_that_crashes_again_and_again_stalls_with_its_last_words()
    {
        var resource = Make.AdapterDeployment();
        var pod = Make.ServerPod("a", false, "adapters");
        var waiting = Make.Waiting("CrashLoopBackOff", "no weights in /graft/claims/models/tiny");
        pod.Status.ContainerStatuses = [new() { Name = "server", RestartCount = 3, State = waiting }];
        var plan = Plan(resource, View(resource, [pod], Make.Trained()));
        Assert.Equal("PodFailing", plan.Status!.Conditions.Find("Stalled")!.Reason);
        Assert.Contains("no weights in /graft/claims/models/tiny", plan.Status.Conditions.Find("Stalled")!.Message,
            StringComparison.Ordinal);
        Assert.Equal("Failed", plan.Status.Phase);
        Assert.Equal("False False True False False", Row(plan.Status));
    }

    [Theory]
    [InlineData("ErrImagePull")]
    [InlineData("CreateContainerConfigError")]
    public void A_new_pod_that_fails_beside_one_that_serves_stalls_although_the_rollout_goes_on(string waiting)
    {
        var resource = Make.AdapterDeployment(s => s with { Replicas = 2 });
        var failing = Make.ServerPod("b", false, "adapters");
        failing.Status.ContainerStatuses = [new() { Name = "server", State = Make.Waiting(waiting, "no such image") }];
        var view = View(resource, [Make.ServerPod("a", true, "adapters"), failing], Make.Trained());
        var plan = Plan(resource, Holding(view, "a", "intents", Path));
        Assert.Equal("False False True True False", Row(plan.Status));
        Assert.All(new[] { "Ready", "Reconciling", "Stalled", "Progressing" }, type =>
            Assert.Equal("PodFailing", plan.Status!.Conditions.Find(type)!.Reason));
        Assert.Equal("Degraded", plan.Status!.Phase);
    }

    [Fact]
    public void A_deployment_scaled_to_zero_is_as_wanted()
    {
        var resource = Make.AdapterDeployment(s => s with { Replicas = 0 });
        Assert.Equal("True False False True True", Row(Plan(resource, View(resource, [], Make.Trained())).Status));
    }

    [Fact]
    public void Somebody_elses_objects_of_that_name_are_left_alone()
    {
        var resource = Make.AdapterDeployment();
        var view = View(resource, []);
        view.Service!.Metadata.OwnerReferences = null;
        var plan = Plan(resource, view);
        Assert.Empty(plan.Apply);
        Assert.Equal("NameConflict", plan.Status!.Conditions.Find("Stalled")!.Reason);
    }

    [Fact]
    public void A_spec_that_is_refused_says_on_whether_the_pods_that_are_there_serve()
    {
        var resource = Make.AdapterDeployment(s => s with { Model = new() { Source = "gs://org/model" } });
        var plan = Plan(resource, View(resource, [Make.ServerPod("a", true, "adapters")], Make.Trained()));
        Assert.Equal("False False True True False", Row(plan.Status));
        Assert.Equal(("Degraded", 1), (plan.Status!.Phase, plan.Status.ReadyReplicas));
        Assert.Equal("False False True False False", Row(Plan(resource, View(resource, [])).Status));
    }
}
