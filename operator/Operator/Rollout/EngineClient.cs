using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Operator.Pods;
using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>An engine in a pod. What it serves is what it lists, never what it was told.</summary>
internal interface IEngineClient
{
    Task<EngineReport> ReportAsync(V1Pod pod, CancellationToken cancellation);

    /// <returns>Null when done.</returns>
    Task<EngineTrouble?> CallAsync(EngineCall call, CancellationToken cancellation);
}

/// <summary>The protocol that vLLM began: <c>/v1/load_lora_adapter</c>, <c>/v1/unload_lora_adapter</c>, <c>/v1/models</c>.</summary>
internal sealed class EngineClient(IPodHttp pods, TimeSpan reportTimeout, TimeSpan callTimeout) : IEngineClient
{
    public async Task<EngineReport> ReportAsync(V1Pod pod, CancellationToken cancellation)
    {
        try
        {
            var answer = await pods.SendAsync(pod, ContractPorts.Server, "/v1/models", null, reportTimeout, cancellation);
            return answer.IsSuccess
                ? Parse(answer.Body)
                : EngineReport.Unreachable($"/v1/models: {answer.Status} {ErrorText(answer.Body)}") with
                {
                    Doing = answer.Status == StatusCodes.Status503ServiceUnavailable ? ErrorText(answer.Body) : null,
                };
        }
        catch (PodUnreachableException e)
        {
            return EngineReport.Unreachable($"/v1/models: {e.Message}");
        }
    }

    public async Task<EngineTrouble?> CallAsync(EngineCall call, CancellationToken cancellation)
    {
        var (path, body) = call switch
        {
            EngineCall.Load load => ("/v1/load_lora_adapter", new JsonObject { ["lora_name"] = load.Adapter, ["lora_path"] = load.Path }),
            _ => ("/v1/unload_lora_adapter", new JsonObject { ["lora_name"] = call.Adapter }),
        };
        try
        {
            var answer = await pods.SendAsync(call.Pod, ContractPorts.Server, path, body.ToJsonString(), callTimeout, cancellation);
            return answer.IsSuccess ? null : Trouble($"{ErrorText(answer.Body)} ({answer.Status})", IsVerdict(answer.Status));
        }
        catch (PodUnreachableException e)
        {
            return Trouble(e.Message, isRefusal: false);
        }

        EngineTrouble Trouble(string message, bool isRefusal) => new(call.Pod.Metadata.Name, call.Adapter, message, isRefusal);
    }

    /// <summary>
    /// Whether an error says something about the adapter. 500 does: it is how vLLM refuses an adapter that it has read (rank too
    /// great, unknown modules). The others say that the engine is busy, starting or not reached.
    /// </summary>
    private static bool IsVerdict(int status) => status is not (408 or 425 or 429 or 502 or 503 or 504);

    /// <summary>Only adapters have a parent; the base model is listed too.</summary>
    internal static EngineReport Parse(string body)
    {
        try
        {
            var adapters = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var model in JsonNode.Parse(body)?["data"]?.AsArray() ?? [])
            {
                if (Text(model?["parent"]) is null || Text(model?["id"]) is not { } id) continue;
                adapters[id] = Text(model?["root"]) ?? "";
            }
            return new(adapters);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return EngineReport.Unreachable($"/v1/models cannot be read: {e.Message}");
        }
    }

    /// <summary>
    /// The message of an error body: nested (<c>{"error":{"message"}}</c>) as newer engines write it, flat
    /// (<c>{"object":"error","message"}</c>) as older ones do, or FastAPI's <c>detail</c>; else the body itself.
    /// </summary>
    internal static string ErrorText(string body)
    {
        try
        {
            var json = JsonNode.Parse(body) as JsonObject;
            var text = json?["error"] is JsonObject error ? Text(error["message"]) : Text(json?["error"]);
            return text ?? Text(json?["message"]) ?? Text(json?["detail"]) ?? body.Trim();
        }
        catch (JsonException)
        {
            return body.Trim();
        }
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
