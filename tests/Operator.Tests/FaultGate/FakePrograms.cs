using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Operator.Pods;
using k8s.Models;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>What the programs in the pods of one run answer: a trainer that is at step 3, and engines that hold what they are given.</summary>
internal sealed class FakePrograms : IPodHttp
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<string, string>> _adapters = new(StringComparer.Ordinal);

    public Task<PodAnswer> SendAsync(V1Pod pod, int port, string path, string? json, TimeSpan timeout, CancellationToken cancellation)
    {
        lock (_gate)
            return Task.FromResult(new PodAnswer(200, Answer(pod.Metadata.Name, path, json)));
    }

    private string Answer(string pod, string path, string? json)
    {
        if (path == "/progress")
        {
            var progress = new Progress { Phase = TrainerPhase.Training, Step = 3, Steps = 9, Loss = 1 };
            return JsonSerializer.Serialize(progress, ContractJson.Compact.Progress);
        }
        if (!_adapters.TryGetValue(pod, out var held)) _adapters[pod] = held = new(StringComparer.Ordinal);
        var asked = json is null ? null : JsonNode.Parse(json)!;
        if (path == "/v1/load_lora_adapter") held[(string)asked!["lora_name"]!] = (string)asked["lora_path"]!;
        if (path == "/v1/unload_lora_adapter") held.Remove((string)asked!["lora_name"]!);
        var list = held.OrderBy(a => a.Key, StringComparer.Ordinal)
            .Select(JsonNode (a) => new JsonObject { ["id"] = a.Key, ["root"] = a.Value, ["parent"] = "base" });
        return new JsonObject { ["data"] = new JsonArray([.. list]) }.ToJsonString();
    }
}
