using Graft.Operator.Api;
using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>What one engine said it serves, or why it did not say.</summary>
/// <param name="Adapters">Alias -> the path that it was loaded from (<c>root</c> in <c>/v1/models</c>).</param>
/// <param name="Doing">What it is doing instead of serving, where it says so.</param>
internal sealed record EngineReport(IReadOnlyDictionary<string, string> Adapters, string? Error = null, string? Doing = null)
{
    public static EngineReport Unreachable(string error) => new(new Dictionary<string, string>(), error);
}

/// <summary>What was observed of a deployment in one pass.</summary>
internal sealed record AdapterDeploymentView
{
    public static AdapterDeploymentView Empty { get; } = new();

    public V1Deployment? Deployment { get; init; }
    public V1Service? Service { get; init; }

    /// <summary>Its pods that are not going away, by name.</summary>
    public IReadOnlyList<V1Pod> Pods { get; init; } = [];

    /// <summary>The FineTuneJobs that its adapters name, as far as they are there.</summary>
    public IReadOnlyDictionary<string, FineTuneJob> FineTuneJobs { get; init; } = new Dictionary<string, FineTuneJob>();

    /// <summary>By the name of the pod; ready pods only.</summary>
    public IReadOnlyDictionary<string, EngineReport> Engines { get; init; } = new Dictionary<string, EngineReport>();

    /// <summary>What pods that run but are not ready say they are doing; asked only where a model is fetched, which takes long.</summary>
    public IReadOnlyDictionary<string, string> Starting { get; init; } = new Dictionary<string, string>();

    /// <summary>Loads and unloads that were not done in this pass.</summary>
    public IReadOnlyList<EngineTrouble> Troubles { get; init; } = [];

    public IEnumerable<V1Pod> ReadyPods => Pods.Where(IsReady);

    public static bool IsStarting(V1Pod pod) =>
        !IsReady(pod) && pod.Status?.ContainerStatuses?.Any(c => c.State?.Running is not null) == true;

    public static bool IsReady(V1Pod pod) => pod.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;
}

/// <param name="Message">The engine's own words, or why there are none.</param>
/// <param name="IsRefusal">The engine said no, and would say it again. Else it gave no verdict, and is asked again.</param>
internal sealed record EngineTrouble(string Pod, string Adapter, string Message, bool IsRefusal);
