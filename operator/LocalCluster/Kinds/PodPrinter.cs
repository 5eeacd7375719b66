using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>The one word that <c>kubectl get pods</c> shows for a pod, which is in no single field (as printPod of the real
/// server).</summary>
internal static class PodPrinter
{
    public static string Ready(JsonObject pod)
    {
        var statuses = pod.At("status", "containerStatuses").Objects().ToList();
        var ready = statuses.Count(status => status["ready"].AsBool() && status.At("state", "running") is not null);
        return $"{ready}/{pod.At("spec", "containers").Objects().Count()}";
    }

    public static string Restarts(JsonObject pod, TimeProvider time)
    {
        var statuses = pod.At("status", "containerStatuses").Objects().ToList();
        var restarts = statuses.Sum(status => status["restartCount"].AsLong() ?? 0);
        var last = statuses.Select(status => status.At("lastState", "terminated", "finishedAt").AsTime()).Max();
        return restarts > 0 && last is { } at ? $"{restarts} ({HumanDuration.Format(time.GetUtcNow() - at)} ago)" : $"{restarts}";
    }

    public static string Status(JsonObject pod)
    {
        var reason = pod.At("status", "reason").AsString() ?? pod.At("status", "phase").AsString() ?? "Unknown";
        if (InitReason(pod) is { } init)
            reason = init;
        else
            reason = ContainersReason(pod, reason);
        if (!pod.IsDeleting())
            return reason;
        return pod.At("status", "reason").AsString() == "NodeLost" ? "Unknown" : "Terminating";
    }

    private static string? InitReason(JsonObject pod)
    {
        var count = pod.At("spec", "initContainers").Objects().Count();
        var index = 0;
        foreach (var status in pod.At("status", "initContainerStatuses").Objects())
        {
            if (status.At("state", "terminated") is { } ended && ended["exitCode"].AsLong() == 0)
            {
                index++;
                continue;
            }
            if (status.At("state", "terminated") is JsonObject failed)
                return "Init:" + TerminatedReason(failed);
            return status.At("state", "waiting", "reason").AsString() is { } waiting and not "PodInitializing"
                ? "Init:" + waiting
                : $"Init:{index}/{count}";
        }
        return null;
    }

    private static string ContainersReason(JsonObject pod, string reason)
    {
        var hasRunning = false;
        foreach (var status in pod.At("status", "containerStatuses").Objects().Reverse())
        {
            if (status.At("state", "waiting", "reason").AsString() is { Length: > 0 } waiting)
                reason = waiting;
            else if (status.At("state", "terminated") is JsonObject ended)
                reason = TerminatedReason(ended);
            else if (status["ready"].AsBool() && status.At("state", "running") is not null)
                hasRunning = true;
        }
        return reason == "Completed" && hasRunning ? "Running" : reason;
    }

    private static string TerminatedReason(JsonObject ended)
    {
        if (ended["reason"].AsString() is { Length: > 0 } reason)
            return reason;
        return ended["signal"].AsLong() is > 0 and var signal ? $"Signal:{signal}" : $"ExitCode:{ended["exitCode"].AsLong() ?? 0}";
    }
}
