using System.Text.Json;
using Graft.Contract;
using Graft.Operator.Api;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>How one trainer pod ended: with a result, or with a failure. Exactly one is set.</summary>
internal sealed record PodOutcome(TrainingResult? Result, Failure? Failure)
{
    private const int LogTail = 1000;

    /// <summary>
    /// Reads the termination message strictly; where there is none that can be read, the exit code still says whose fault
    /// it was. Null while the pod has not ended.
    /// </summary>
    public static PodOutcome? Of(V1Pod pod)
    {
        var terminated = Container(pod)?.State?.Terminated;
        if (terminated is null)
        {
            return pod.Status?.Phase == "Failed"
                ? Failed(
                    FailureClass.Infrastructure,
                    $"the pod ended with {Words(pod.Status.Reason, "no reason")}: {Words(pod.Status.Message, "no message")}")
                : null;
        }

        var (result, whyNot) = Read(terminated.Message);
        if (terminated.ExitCode == ExitCodes.Success)
        {
            return result?.Artifact is not null
                ? new(result, null)
                : Failed(FailureClass.Internal, $"the trainer ended well but left no result: {whyNot ?? "it names no artifact"}");
        }
        if (result?.Failure is { } failure) return new(null, failure);
        var failureClass = terminated.Reason == "OOMKilled" ? FailureClass.OutOfMemory : ExitCodes.ClassOf(terminated.ExitCode);
        var tail = terminated.Message is { Length: > 0 } text ? ": " + text[Math.Max(0, text.Length - LogTail)..].Trim() : "";
        return Failed(failureClass, $"the trainer ended with code {terminated.ExitCode} ({Words(terminated.Reason, "Error")}){tail}");
    }

    public static V1ContainerStatus? Container(V1Pod pod) =>
        pod.Status?.ContainerStatuses?.FirstOrDefault(c => c.Name == ApiNames.TrainerContainer);

    private static (TrainingResult? Result, string? Error) Read(string? message)
    {
        if (string.IsNullOrWhiteSpace(message)) return (null, "the termination message is empty");
        try
        {
            var result = JsonSerializer.Deserialize(message, ContractJson.Default.TrainingResult);
            return result?.Version == TrainingResult.CurrentVersion
                ? (result, null)
                : (null, $"its version is '{result?.Version}', not {TrainingResult.CurrentVersion}");
        }
        catch (JsonException e)
        {
            return (null, $"the termination message cannot be read ({e.Message})");
        }
    }

    private static PodOutcome Failed(FailureClass failure, string message) => new(null, new(failure, message));

    private static string Words(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;
}
