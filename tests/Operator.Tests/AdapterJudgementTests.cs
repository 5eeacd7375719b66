using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Rollout;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Tests;

/// <summary>What a run made is judged by the facts in its status, before any pod is asked to load it.</summary>
public class AdapterJudgementTests
{
    private static readonly OperatorOptions Options = new() { ServerImage = "server:1" };

    private static readonly AdapterFacts Everything = new()
    {
        Method = "lora", Rank = 8, MaxRank = 16, Alpha = 32, RsLora = true, HasPatterns = true, Dora = true, Bias = "all",
        ModulesToSave = ["score"], VirtualTokens = 4, Mergeable = true, Targets = ["q_proj", "v_proj"], Dtype = "F32",
        TrainableParameters = 1000, BaseDigest = Make.Digest, ModelType = "llama", Task = "SEQ_CLS", Bytes = 4000,
    };

    private static FineTuneJob Classifier(string name = "intents") =>
        Make.Trained(name, facts: f => f with { Task = "SEQ_CLS", ModulesToSave = ["score"] });

    private static AdapterDeploymentView View(AdapterDeployment resource, params FineTuneJob[] runs)
    {
        var pod = Make.ServerPod("a", true, "adapters");
        return new()
        {
            Deployment = Make.Deployment(resource, 1),
            Service = Make.Service(resource),
            Pods = [pod],
            FineTuneJobs = runs.ToDictionary(r => r.Metadata.Name),
            Engines = new Dictionary<string, EngineReport> { ["a"] = new(new Dictionary<string, string>()) },
        };
    }

    private static Plan<AdapterDeploymentStatus> Plan(AdapterDeployment resource, AdapterDeploymentView view) =>
        AdapterDeploymentPlanner.Plan(resource, view, Options, Make.Now);

    [Fact]
    public void Every_fact_of_a_result_is_kept_in_the_status_and_read_back()
    {
        var status = Make.Trained(facts: _ => Everything).Status!.Artifact!;
        Assert.Equivalent(Everything, ArtifactFacts.Of(status), strict: true);
        // Of a prompt nothing is said that a LoRA alone has.
        var prompt = Make.Trained(facts: f => f with { Method = "promptTuning", Rank = null, VirtualTokens = 20 }).Status!.Artifact!;
        Assert.Equal((null, null, null, 20), (prompt.RsLora, prompt.HasPatterns, prompt.Dora, prompt.VirtualTokens));
    }

    [Fact]
    public void More_modules_than_the_schema_takes_are_cut()
    {
        var many = Enumerable.Range(0, 100).Select(i => $"m{i:000}").ToList();
        var status = Make.Trained(facts: f => f with { Targets = many, ModulesToSave = many }).Status!.Artifact!;
        Assert.Equal((64, 64), (status.Targets!.Count, status.ModulesToSave!.Count));
    }

    [Fact]
    public void What_the_engine_will_not_serve_is_not_loaded_and_every_reason_is_told()
    {
        var resource = Make.AdapterDeployment();
        var job = Make.Trained(facts: f => f with { Method = "loha", Task = "SEQ_CLS" });
        var view = View(resource, job);

        Assert.Empty(AdapterDeploymentPlanner.EngineCallsOf(resource, view, Options));
        var plan = Plan(resource, view);

        var stalled = plan.Status!.Conditions.Find("Stalled")!;
        Assert.Equal(("True", "AdapterRefused"), (stalled.Status, stalled.Reason));
        Assert.Equal("False", plan.Status.Conditions.Find("Reconciling")!.Status);
        var ready = plan.Status.Conditions.Find("Ready")!;
        Assert.Equal(("False", "AdapterRefused"), (ready.Status, ready.Reason));
        var adapter = Assert.Single(plan.Status.Adapters!);
        Assert.Equal(CandidateState.Failed, adapter.Candidate!.State);
        Assert.Null(adapter.Current);
        var told = Assert.Single(plan.Events, e => e.Reason == "AdapterFailed").Message;
        foreach (var said in (string[])[stalled.Message, adapter.Candidate.Message!, told])
        {
            Assert.Contains("FineTuneJob 'intents'", said, StringComparison.Ordinal);
            Assert.Contains("classifies texts", said, StringComparison.Ordinal);
            Assert.Contains("does not know the method loha", said, StringComparison.Ordinal);
        }
        // The base answers meanwhile, and the same refusal is told once.
        Assert.Equal("Degraded", plan.Status.Phase);
        resource.Status = plan.Status;
        Assert.DoesNotContain(Plan(resource, view).Events, e => e.Reason == "AdapterFailed");
    }

    [Fact]
    public void A_refused_adapter_does_not_stop_the_others_and_its_own_older_revision_is_served_on()
    {
        var resource = Make.AdapterDeployment(s => s with { Adapters = [Make.Adapter("intents"), Make.Adapter("teams", run: "teams")] });
        resource.Status = Serving("teams", "pvc://adapters/older", Make.Digest.Replace('1', '2'));
        var loads = AdapterDeploymentPlanner.EngineCallsOf(resource, View(resource, Make.Trained(), Classifier("teams")), Options)
            .Cast<EngineCall.Load>();
        Assert.Equal(
            [("intents", "/artifacts/adapters/intents-12345678"), ("teams", "/artifacts/adapters/older")],
            loads.Select(l => (l.Adapter, l.Path)).Order());
    }

    [Fact]
    public void What_pods_have_served_is_not_judged_again()
    {
        var resource = Make.AdapterDeployment();
        resource.Status = Serving("intents", "pvc://adapters/intents-12345678", Make.Digest);
        Loads(resource, View(resource, Classifier()));
    }

    [Fact]
    public void What_nothing_is_known_of_is_left_to_the_engine()
    {
        var resource = Make.AdapterDeployment();
        var job = Classifier();
        job.Status = job.Status! with { Artifact = job.Status.Artifact! with { Dtype = null } };
        Loads(resource, View(resource, job));
        var byUri = Make.AdapterDeployment(s => s with { Adapters = [Make.Adapter("intents", uri: "pvc://adapters/legacy")] });
        Loads(byUri, View(byUri));
    }

    private static void Loads(AdapterDeployment resource, AdapterDeploymentView view) =>
        Assert.IsType<EngineCall.Load>(Assert.Single(AdapterDeploymentPlanner.EngineCallsOf(resource, view, Options)));

    private static AdapterDeploymentStatus Serving(string name, string uri, string digest) =>
        new() { Adapters = [new() { Name = name, Current = new() { Uri = uri, Digest = digest, FineTuneJob = name } }] };
}
