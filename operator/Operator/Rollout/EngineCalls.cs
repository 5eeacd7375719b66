using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>One thing to ask of one engine.</summary>
internal abstract record EngineCall(V1Pod Pod, string Adapter)
{
    public sealed record Load(V1Pod Pod, string Adapter, string Path) : EngineCall(Pod, Adapter);

    public sealed record Unload(V1Pod Pod, string Adapter) : EngineCall(Pod, Adapter);

    /// <summary>
    /// What each ready engine must be asked so that it holds what is wanted. A path that differs is unloaded first: engines
    /// that replace in place may answer from an old cache. A pod without the mount is left alone; it is about to be rolled.
    /// </summary>
    public static IReadOnlyList<EngineCall> Between(AdapterDeploymentView view, ServerPlacement placement)
    {
        var calls = new List<EngineCall>();
        foreach (var pod in view.ReadyPods)
        {
            if (!view.Engines.TryGetValue(pod.Metadata.Name, out var engine) || engine.Error is not null) continue;
            calls.AddRange(engine.Adapters
                .Where(held => !placement.Adapters.TryGetValue(held.Key, out var path) || (path != held.Value && Mounts(pod, path)))
                .Select(held => new Unload(pod, held.Key)));
            calls.AddRange(placement.Adapters
                .Where(wanted => !Holds(engine, wanted.Key, wanted.Value) && Mounts(pod, wanted.Value))
                .Select(wanted => new Load(pod, wanted.Key, wanted.Value)));
        }
        return calls;
    }

    public static bool Holds(EngineReport engine, string adapter, string path) =>
        engine.Adapters.TryGetValue(adapter, out var root) && root == path;

    private static bool Mounts(V1Pod pod, string path) =>
        pod.Spec.Containers.SelectMany(c => c.VolumeMounts ?? [])
            .Any(m => path == m.MountPath || path.StartsWith(m.MountPath + "/", StringComparison.Ordinal));
}
