using System.Text.Json.Nodes;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>What <c>kubectl logs</c> asks for.</summary>
internal sealed record LogRequest(bool Follow, bool Timestamps, bool Previous, long? TailLines, DateTimeOffset? Since, long? LimitBytes)
{
    public static LogRequest Of(IQueryCollection query, TimeProvider time)
    {
        DateTimeOffset? since = query["sinceSeconds"].ToString() is { Length: > 0 } seconds
            ? time.GetUtcNow() - TimeSpan.FromSeconds(Number(seconds, "sinceSeconds"))
            : JsonValue.Create(query["sinceTime"].ToString()).AsTime();
        return new LogRequest(
            query["follow"].ToString() is "true" or "1",
            query["timestamps"].ToString() is "true" or "1",
            query["previous"].ToString() is "true" or "1",
            query["tailLines"].ToString() is { Length: > 0 } tail ? Number(tail, "tailLines") : null,
            since,
            query["limitBytes"].ToString() is { Length: > 0 } limit ? Number(limit, "limitBytes") : null);
    }

    private static long Number(string text, string name) => long.TryParse(text, out var number) && number >= 0
        ? number
        : throw ApiException.BadRequest($"{name}: Invalid value: \"{text}\": must be greater than or equal to 0");
}

/// <summary>Serves the log files that the kubelet writes; following ends when the container has ended and all of it is sent.</summary>
internal sealed class PodLogs(ObjectStore store, LogFiles files, TimeProvider time)
{
    private static readonly GroupResource Pods = new("", "pods");
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    public async Task ServeAsync(HttpContext http, StoredObject pod)
    {
        var request = LogRequest.Of(http.Request.Query, time);
        var container = ContainerOf(pod.Content, http.Request.Query["container"].ToString());
        var restart = RestartOf(pod.Content, container, request);
        var path = files.File(pod.Content.Uid(), container, restart);
        http.Response.ContentType = "text/plain";
        await http.Response.StartAsync(http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
        try
        {
            var output = new LogOutput(http.Response, request);
            await SendAsync(pod.Key, pod.Content.Uid(), container, restart, path, request, output, http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The reader left.
        }
    }

    private async Task SendAsync(
        ObjectKey key, string uid, string container, int restart, string path, LogRequest request, LogOutput output,
        CancellationToken cancellation)
    {
        LogTail? tail = null;
        try
        {
            while (true)
            {
                // Looked at before reading, so that what was written before the end is read before following ends.
                var ended = !request.Follow || HasEnded(key, uid, container, restart);
                tail ??= LogTail.Open(path, request.TailLines);
                while (tail?.ReadLine(ended) is { } line)
                {
                    if (!await output.SendAsync(line, cancellation))
                        return;
                }
                await output.FlushAsync(cancellation);
                if (ended)
                    return;
                await Task.Delay(PollInterval, time, cancellation);
            }
        }
        finally
        {
            tail?.Dispose();
        }
    }

    private bool HasEnded(ObjectKey key, string uid, string container, int restart)
    {
        if (store.Get(Pods, key) is not { } pod || pod.Content.Uid() != uid)
            return true;
        return StatusOf(pod.Content, container) is { } status
            && (status.At("state", "terminated") is not null || status["restartCount"].AsLong() > restart);
    }

    private static string ContainerOf(JsonObject pod, string asked)
    {
        var all = pod.At("spec", "initContainers").Objects().Concat(pod.At("spec", "containers").Objects())
            .Select(c => c["name"].AsString() ?? "").ToList();
        if (asked.Length > 0)
            return all.Contains(asked) ? asked : throw ApiException.BadRequest($"container {asked} is not valid for pod {pod.Name()}");
        var names = pod.At("spec", "containers").Objects().Select(c => c["name"].AsString() ?? "").ToList();
        return names.Count == 1
            ? names[0]
            : throw ApiException.BadRequest(
                $"a container name must be specified for pod {pod.Name()}, choose one of: [{string.Join(' ', names)}]");
    }

    private static int RestartOf(JsonObject pod, string container, LogRequest request)
    {
        var status = StatusOf(pod, container);
        var restarts = (int)(status?["restartCount"].AsLong() ?? 0);
        if (request.Previous)
        {
            return restarts > 0 && status.At("lastState", "terminated") is not null
                ? restarts - 1
                : throw ApiException.BadRequest($"previous terminated container \"{container}\" in pod \"{pod.Name()}\" not found");
        }
        if (status.At("state", "running") is not null || status.At("state", "terminated") is not null)
            return restarts;
        if (status.At("lastState", "terminated") is not null)
            return Math.Max(restarts - 1, 0);
        var reason = status.At("state", "waiting", "reason").AsString() ?? "ContainerCreating";
        throw ApiException.BadRequest($"container \"{container}\" in pod \"{pod.Name()}\" is waiting to start: {reason}");
    }

    private static JsonObject? StatusOf(JsonObject pod, string container) =>
        pod.At("status", "initContainerStatuses").Objects().Concat(pod.At("status", "containerStatuses").Objects())
            .FirstOrDefault(status => status["name"].AsString() == container);
}
