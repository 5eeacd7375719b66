using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Rollout;
using Graft.Operator.Sources;
using k8s.Models;

namespace Graft.Operator.Tests;

/// <summary>What becomes of a source that pods fetch: job.json, mounts, environment, status.</summary>
public class FetchedSourceTests
{
    private const string Hub = "hf://org/model@main";

    private static TrainerJobSpec Spec(FineTuneJob job, SourceOptions? sources = null)
    {
        var (spec, errors) = TrainerJobSpec.Build(job, sources ?? SourceOptions.ClusterOnly);
        Assert.Empty(errors);
        return spec!;
    }

    private static IReadOnlyList<FieldError> Errors(FineTuneJob job) => TrainerJobSpec.Build(job, SourceOptions.ClusterOnly).Errors;

    private static FineTuneJob Job(ModelSpec model, DataSourceSpec? data = null) => Make.FineTuneJob(s => s with
    {
        Model = model,
        Data = data is null ? s.Data : new() { Train = [data] },
    });

    private static IEnumerable<(string Path, string Kind)> Mounts(PodMounts mounts) => mounts.Mounts.Select(m => (m.MountPath,
        mounts.Volumes.Single(v => v.Name == m.Name) switch
        {
            { Secret: { } secret } => $"secret {secret.SecretName} {secret.DefaultMode}",
            { PersistentVolumeClaim: { } claim } => $"claim {claim.ClaimName}",
            { HostPath: { } host } => $"host {host.Path} {host.Type}",
            { EmptyDir: not null } => "empty",
            _ => "other",
        }));

    [Fact]
    public void The_trainer_is_given_the_source_and_a_folder_with_the_secret_and_never_the_secret()
    {
        var spec = Spec(Job(new() { Source = Hub, CredentialsRef = new() { Name = "hf-token" } }));

        Assert.Equal((Hub, "", "/graft/credentials/hf-token"), (spec.Job.Model.Source, spec.Job.Model.Path, spec.Job.Model.Credentials));
        Assert.Contains(("/graft/credentials/hf-token", "secret hf-token 288"), Mounts(spec.Mounts));
        Assert.Contains(("/graft/cache", "empty"), Mounts(spec.Mounts));
        var pod = TrainerObjects.Job(Job(new() { Source = Hub }), spec, "image", new(), TimeSpan.Zero).Spec.Template.Spec;
        Assert.DoesNotContain(pod.Containers[0].Env, e => e.ValueFrom?.SecretKeyRef is not null);
    }

    [Fact]
    public void A_cache_claim_is_mounted_to_be_written_by_every_pod_that_fetches()
    {
        var model = new ModelSpec { Source = Hub, Cache = new() { Pvc = new() { ClaimName = "models" } } };
        var spec = Spec(Job(model, new() { Source = "s3://bucket/train.jsonl", CredentialsRef = new() { Name = "s3" } }));

        Assert.Contains(("/graft/cache", "claim models"), Mounts(spec.Mounts));
        Assert.False(spec.Mounts.Mounts.Single(m => m.MountPath == "/graft/cache").ReadOnlyProperty ?? false);
        Assert.Single(spec.Mounts.Mounts, m => m.MountPath == "/graft/cache");
        Assert.Equal(("s3://bucket/train.jsonl", "", "/graft/credentials/s3"),
            (spec.Job.Data.Train[0].Source, spec.Job.Data.Train[0].Path, spec.Job.Data.Train[0].Credentials));
    }

    [Fact]
    public void One_secret_for_two_sources_is_mounted_once()
    {
        var secret = new SecretRef { Name = "s3" };
        var spec = Spec(Job(
            new() { Source = "s3://b-1/model", CredentialsRef = secret }, new() { Source = "s3://b-2/x.csv", CredentialsRef = secret }));

        Assert.Single(Mounts(spec.Mounts), m => m.Path == "/graft/credentials/s3");
    }

    [Fact]
    public void A_pod_that_fetches_nothing_has_neither_cache_nor_the_administrators_settings()
    {
        var spec = Spec(Job(new() { Source = "pvc://models/tiny" }));
        var pod = TrainerObjects.Job(Make.FineTuneJob(), spec, "image", Settings, TimeSpan.Zero).Spec.Template.Spec;

        Assert.DoesNotContain(Mounts(spec.Mounts), m => m.Path.StartsWith("/graft/cache", StringComparison.Ordinal));
        Assert.Equal(["POD_IP", "DOTNET_EnableDiagnostics"], pod.Containers[0].Env.Select(e => e.Name));
    }

    [Fact]
    public void The_administrators_settings_reach_trainer_and_server_alike()
    {
        var options = new OperatorOptions { Sources = new() { Fetch = Settings } };
        var trainer = TrainerObjects.Job(Make.FineTuneJob(), Spec(Job(new() { Source = Hub })), "image", Settings, TimeSpan.Zero);
        var deployment = Make.AdapterDeployment(s => s with { Model = new() { Source = Hub }, Adapters = null });
        var server = (V1Deployment)AdapterDeploymentPlanner.Plan(deployment, AdapterDeploymentView.Empty, options, Make.Now).Apply[0];

        string[] expected =
        [
            "HF_ENDPOINT=https://hub.example", "HF_HUB_OFFLINE=1", "AWS_ENDPOINT_URL_S3=https://s3.example", "AWS_REGION=eu-1",
            "GRAFT_SOURCE_NETWORKS=10.0.0.0/8,fd00::/8", "GRAFT_PLAIN_HTTP_REGISTRIES=registry:5000",
        ];
        Assert.Equal(expected, Variables(trainer.Spec.Template.Spec));
        Assert.Equal(expected, Variables(server.Spec.Template.Spec));
    }

    [Fact]
    public void A_server_fetches_the_model_that_it_is_named_with_the_secret_that_it_is_named()
    {
        var deployment = Make.AdapterDeployment(s => s with
        {
            Model = new() { Source = Hub, CredentialsRef = new() { Name = "hf-token" },
                Cache = new() { Pvc = new() { ClaimName = "models" } } },
        });
        var plan = AdapterDeploymentPlanner.Plan(deployment, AdapterDeploymentView.Empty, new OperatorOptions(), Make.Now);
        var pod = ((V1Deployment)plan.Apply[0]).Spec.Template.Spec;

        Assert.Equal(["--model", Hub, "--model-credentials", "/graft/credentials/hf-token"], pod.Containers[0].Args.Take(4));
        Assert.Contains(pod.Containers[0].VolumeMounts, m => m.MountPath == "/graft/credentials/hf-token" && m.ReadOnlyProperty == true);
        Assert.Contains(pod.Volumes, v => v.PersistentVolumeClaim?.ClaimName == "models");
    }

    [Fact]
    public void In_local_mode_the_cache_is_the_persons_own_unless_the_spec_names_a_claim()
    {
        var local = new SourceOptions { AllowFiles = true, Fetch = new() { CacheFolder = "/home/me/.cache/huggingface" } };
        var claim = new ModelSpec { Source = Hub, Cache = new() { Pvc = new() { ClaimName = "models" } } };

        Assert.Contains(("/graft/cache", "host /home/me/.cache/huggingface DirectoryOrCreate"),
            Mounts(Spec(Job(new() { Source = Hub }), local).Mounts));
        Assert.Contains(("/graft/cache", "claim models"), Mounts(Spec(Job(claim), local).Mounts));
    }

    [Fact]
    public void A_substitute_needs_neither_the_secret_nor_the_cache_that_the_manifest_names()
    {
        var sources = new SourceOptions { Substitutes = new Dictionary<string, string> { [Hub] = "/models/copy" } };
        var spec = Spec(Job(new()
        {
            Source = Hub, CredentialsRef = new() { Name = "hf-token" }, Cache = new() { Pvc = new() { ClaimName = "models" } },
        }), sources);

        Assert.Equal("/graft/files/0/copy", spec.Job.Model.Path);
        Assert.DoesNotContain(Mounts(spec.Mounts), m => m.Path.StartsWith("/graft/c", StringComparison.Ordinal)
            && !m.Path.StartsWith("/graft/claims", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_wrong_field_is_named()
    {
        var errors = Errors(Job(
            new() { Source = "pvc://models/tiny", CredentialsRef = new() { Name = "x" },
                Cache = new() { Pvc = new() { ClaimName = "models" } } },
            new() { Source = "s3://bucket" }));

        Assert.Equal(["spec.model.cache", "spec.model.credentialsRef", "spec.data.train[0].source"], errors.Select(e => e.Field));
        Assert.Contains("as s3://BUCKET/train.jsonl", errors[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_that_starts_names_the_secret_that_it_may_be_waiting_for()
    {
        var job = Job(new() { Source = Hub, CredentialsRef = new() { Name = "hf-token" } });
        var pod = Make.Pod("intents-x", Make.Waiting("ContainerCreating"), p => p.Spec.Volumes = Spec(job).Mounts.Volumes);

        var status = FineTuneJobPlanner.Plan(job, Make.View(Make.Job(job), pod), new OperatorOptions(), Make.Now).Status!;

        Assert.Contains(
            status.Conditions!, c => c.Type == "Ready" && c.Message == "pod intents-x is starting; it needs the Secret 'hf-token'");
    }

    [Fact]
    public void Whoever_watches_a_run_sees_how_far_its_model_is()
    {
        var job = Job(new() { Source = Hub });
        var view = Make.View(Make.Job(job), Make.Pod("intents-x", Make.Running)) with
        {
            Progress = new() { Phase = TrainerPhase.Fetching, Download = new(Hub, 91_494_000, 269_100_000) },
        };

        var status = FineTuneJobPlanner.Plan(job, view, new OperatorOptions(), Make.Now).Status!;

        Assert.Equal("Pending", status.Phase);
        Assert.Contains(status.Conditions!, c => c.Type == "Ready" && c.Message == $"pod intents-x fetches {Hub}: 34 % of 269.1 MB");
    }

    [Fact]
    public void Whoever_watches_a_deployment_sees_how_far_its_model_is()
    {
        var deployment = Make.AdapterDeployment(s => s with { Model = new() { Source = Hub }, Adapters = null });
        var view = new AdapterDeploymentView
        {
            Deployment = Make.Deployment(deployment, ready: 0),
            Service = Make.Service(deployment),
            Pods = [Make.ServerPod("support-x", ready: false)],
            Starting = new Dictionary<string, string> { ["support-x"] = "The model is being fetched: 34 % of 269.1 MB." },
        };

        var plan = AdapterDeploymentPlanner.Plan(deployment, view, new OperatorOptions(), Make.Now);

        Assert.Contains(plan.Status!.Conditions!, c => c.Type == "Ready"
            && c.Message == "pod support-x: The model is being fetched: 34 % of 269.1 MB.");
        Assert.Equal(new OperatorOptions().ProgressInterval, plan.RequeueAfter);
    }

    private static FetchSettings Settings => new()
    {
        HubEndpoint = "https://hub.example",
        Offline = true,
        S3Endpoint = "https://s3.example",
        S3Region = "eu-1",
        Networks = ["10.0.0.0/8", "fd00::/8"],
        PlainHttpRegistries = ["registry:5000"],
    };

    private static IEnumerable<string> Variables(V1PodSpec pod) => pod.Containers[0].Env.Skip(2).Select(e => $"{e.Name}={e.Value}");
}
