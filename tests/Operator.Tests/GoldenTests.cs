using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Rollout;
using Graft.Runtime;
using k8s;
using k8s.Models;

namespace Graft.Operator.Tests;

/// <summary>Manifest in, objects out: golden/CASE/{manifest.yaml -> job.json, objects.yaml, status.yaml}.</summary>
public class GoldenTests
{
    private static readonly OperatorOptions Options = new()
    {
        TrainerImage = "example.com/trainer:1",
        ServerImage = "example.com/server:1",
        Sources = new() { AllowFiles = true, FileRoot = "/home/me/sample" },
    };

    public static TheoryData<string> Cases() =>
        [.. Directory.EnumerateDirectories(Golden.Folder()).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_manifest_becomes_these_objects(string name)
    {
        var folder = Path.Combine(Golden.Folder(), name);
        var text = File.ReadAllText(Path.Combine(folder, "manifest.yaml"));
        if (text.Contains("kind: FineTuneJob", StringComparison.Ordinal))
        {
            var job = Load<FineTuneJob>(text);
            var plan = FineTuneJobPlanner.Plan(job, FineTuneJobView.Empty, Options, Make.Now);
            Check(folder, plan, job.Metadata.Uid);
        }
        else
        {
            var deployment = Load<AdapterDeployment>(text);
            var runs = new Dictionary<string, FineTuneJob> { ["intents"] = Make.Trained() };
            var view = AdapterDeploymentView.Empty with { FineTuneJobs = runs };
            Check(folder, AdapterDeploymentPlanner.Plan(deployment, view, Options, Make.Now), deployment.Metadata.Uid);
        }
    }

    private static void Check<TStatus>(string folder, Plan<TStatus> plan, string uid) where TStatus : class
    {
        var jobs = plan.Apply.OfType<V1ConfigMap>().ToList();
        foreach (var job in jobs) Golden.Check(Path.Combine(folder, "job.json"), job.Data["job.json"]);
        Golden.Check(Path.Combine(folder, "objects.yaml"), ManifestYaml.Write(plan.Apply.Where(o => o is not V1ConfigMap)));
        Golden.Check(Path.Combine(folder, "status.yaml"), KubernetesYaml.Serialize(plan.Status!).ReplaceLineEndings("\n") + "\n");
        Assert.Equal("uid-golden", uid);
    }

    private static T Load<T>(string yaml) where T : IKubernetesObject<V1ObjectMeta>
    {
        var loaded = KubernetesYaml.Deserialize<T>(yaml);
        (loaded.Metadata.Uid, loaded.Metadata.NamespaceProperty, loaded.Metadata.Generation) = ("uid-golden", "ml", 1);
        return loaded;
    }
}
