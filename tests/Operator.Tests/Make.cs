using System.Text.Json;
using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using k8s;
using k8s.Models;

namespace Graft.Operator.Tests;

/// <summary>Objects as tests want them: complete, and changed in one place.</summary>
internal static class Make
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    public static FineTuneJob FineTuneJob(Func<FineTuneJobSpec, FineTuneJobSpec>? change = null, string name = "intents")
    {
        var spec = new FineTuneJobSpec
        {
            Model = new() { Source = "pvc://models/tiny" },
            Data = new() { Train = [new() { Source = "pvc://datasets/train.jsonl" }] },
            Method = new() { Lora = new() },
            Output = new() { Pvc = new() { ClaimName = "adapters" } },
        };
        return new()
        {
            Metadata = Metadata(name),
            Spec = change?.Invoke(spec) ?? spec,
        };
    }

    public static AdapterDeployment AdapterDeployment(
        Func<AdapterDeploymentSpec, AdapterDeploymentSpec>? change = null, string name = "support")
    {
        var spec = new AdapterDeploymentSpec { Model = new() { Source = "pvc://models/tiny" }, Adapters = [Adapter("intents")] };
        return new()
        {
            Metadata = Metadata(name),
            Spec = change?.Invoke(spec) ?? spec,
        };
    }

    public static AdapterSpec Adapter(string name, string? run = "intents", string? uri = null) => new()
    {
        Name = name,
        From = uri is null ? new() { FineTuneJobRef = new() { Name = run! } } : new() { Artifact = new() { Uri = uri } },
    };

    public static V1Job Job(IKubernetesObject<V1ObjectMeta> owner, params V1JobCondition[] conditions) => new()
    {
        ApiVersion = "batch/v1",
        Kind = "Job",
        Metadata = Child(owner, owner.Metadata.Name, "uid-job"),
        Spec = new()
        {
            Suspend = false,
            Template = new() { Spec = new() { RestartPolicy = "Never", Containers = [new() { Name = "trainer" }] } },
        },
        Status = new() { Conditions = conditions, StartTime = Now.UtcDateTime.AddMinutes(-5) },
    };

    public static V1JobCondition Condition(string type, string? reason = null) =>
        new() { Type = type, Status = "True", Reason = reason, LastTransitionTime = Now.UtcDateTime.AddMinutes(-1) };

    public static V1Pod Pod(string name, V1ContainerState? state = null, Action<V1Pod>? change = null)
    {
        var pod = new V1Pod
        {
            Metadata = new() { Name = name, NamespaceProperty = "ml", Uid = "uid-" + name },
            Spec = new() { Containers = [new() { Name = "trainer" }] },
            Status = new()
            {
                Phase = "Running",
                StartTime = Now.UtcDateTime.AddMinutes(-4),
                ContainerStatuses = state is null ? [] : [new() { Name = "trainer", State = state }],
            },
        };
        change?.Invoke(pod);
        return pod;
    }

    public static AttemptStatus Attempt(DateTimeOffset start, DateTimeOffset finish) =>
        new() { Number = 1, Pod = "p", StartTime = start.UtcDateTime, FinishTime = finish.UtcDateTime };

    public static V1ContainerState Running { get; } = new() { Running = new() };

    public static V1ContainerState Waiting(string reason, string? message = null) =>
        new() { Waiting = new() { Reason = reason, Message = message } };

    public static V1ContainerState Ended(int exitCode, string? message = null, string? reason = null) => new()
    {
        Terminated = new() { ExitCode = exitCode, Message = message, Reason = reason, FinishedAt = Now.UtcDateTime.AddMinutes(-2) },
    };

    public static string Result(TrainingResult result) => JsonSerializer.Serialize(result, ContractJson.Compact.TrainingResult);

    public static TrainingResult Success(ArtifactKind kind = ArtifactKind.Adapter) => new()
    {
        Steps = 90,
        Loss = 0.1234,
        PeakMemoryBytes = 300L << 20,
        Resolved = new(2e-4, 8, Precision.F32, "cpu"),
        Artifact = new()
        {
            Uri = "pvc://adapters/intents-12345678",
            Digest = Digest,
            Bytes = 65536,
            Kind = kind,
            Facts = new()
            {
                Method = "lora", Rank = 8, Targets = ["q_proj"], Dtype = "F32", TrainableParameters = 1000, BaseDigest = Digest,
            },
            Metrics = new Dictionary<string, double> { ["loss"] = 0.2, ["exactMatch"] = 0.95 },
        },
    };

    public static TrainingResult Failure(FailureClass failure, string message = "what went wrong") =>
        new() { Failure = new(failure, message, 7) };

    public static FineTuneJobView View(V1Job job, params V1Pod[] pods) => new() { Job = job, Pods = pods };

    private static V1VolumeMount Mount(string claim) => new() { Name = claim, MountPath = "/artifacts/" + claim };

    private static V1ObjectMeta Metadata(string name) => new()
    {
        Name = name,
        NamespaceProperty = "ml",
        Uid = "uid-" + name,
        Generation = 1,
        CreationTimestamp = Now.UtcDateTime,
    };

    private static V1ObjectMeta Child(IKubernetesObject<V1ObjectMeta> owner, string name, string uid) => new()
    {
        Name = name,
        NamespaceProperty = owner.Metadata.NamespaceProperty,
        Uid = uid,
        Generation = 1,
        OwnerReferences = [Graft.Runtime.Owners.Reference(owner)],
    };

    public static V1Deployment Deployment(AdapterDeployment owner, int ready)
    {
        var replicas = owner.Spec.Replicas;
        return new()
        {
            Metadata = Child(owner, owner.Metadata.Name, "uid-deployment"),
            Spec = new() { Replicas = replicas, Selector = new(), Template = new() },
            Status = new() { ObservedGeneration = 1, Replicas = replicas, UpdatedReplicas = replicas, ReadyReplicas = ready },
        };
    }

    public static V1Service Service(AdapterDeployment owner) => new()
    {
        Metadata = Child(owner, owner.Metadata.Name, "uid-service"),
        Spec = new() { ClusterIP = "127.9.0.1" },
    };

    public static V1Pod ServerPod(string name, bool ready = true, params string[] claims) => new()
    {
        Metadata = new() { Name = name, NamespaceProperty = "ml", Uid = "uid-" + name },
        Spec = new() { Containers = [new() { Name = "server", VolumeMounts = [.. claims.Select(Mount)] }] },
        Status = new()
        {
            Phase = "Running",
            Conditions = [new() { Type = "Ready", Status = ready ? "True" : "False" }],
            ContainerStatuses = [new() { Name = "server", State = Running }],
        },
    };

    public static FineTuneJob Trained(
        string name = "intents", ArtifactKind kind = ArtifactKind.Adapter, Func<AdapterFacts, AdapterFacts>? facts = null)
    {
        var job = FineTuneJob(name: name);
        var child = Job(job, Condition("Complete"));
        var success = Success(kind);
        if (facts is not null) success = success with { Artifact = success.Artifact! with { Facts = facts(success.Artifact!.Facts) } };
        var pod = Pod(name + "-abc", Ended(0, Result(success)));
        job.Status = FineTuneJobPlanner.Plan(job, View(child, pod), new OperatorOptions(), Now).Status;
        return job;
    }
}
