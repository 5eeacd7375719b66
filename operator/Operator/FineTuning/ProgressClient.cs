using System.Text.Json;
using Graft.Contract;
using Graft.Operator.Pods;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>Asks a running trainer how far it is. No answer is an answer: the run goes on without being watched.</summary>
internal sealed class ProgressClient(IPodHttp pods, TimeSpan timeout)
{
    public async Task<Progress?> ReadAsync(V1Pod pod, CancellationToken cancellation)
    {
        try
        {
            var answer = await pods.SendAsync(pod, ContractPorts.Trainer, "/progress", null, timeout, cancellation);
            return answer.IsSuccess ? Parse(answer.Body) : null;
        }
        catch (PodUnreachableException)
        {
            return null;
        }
    }

    internal static Progress? Parse(string body)
    {
        try
        {
            var progress = JsonSerializer.Deserialize(body, ContractJson.Default.Progress);
            return progress?.Version == Progress.CurrentVersion && progress.Step >= 0 && progress.Steps >= progress.Step ? progress : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
