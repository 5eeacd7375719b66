using Graft.Operator.Api;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>The record of pods that trained. Pods go; what is recorded of them stays.</summary>
internal static class Attempts
{
    public const int Kept = 10;

    /// <summary>
    /// What was recorded, brought up to date by the pods that are there; the newest first, so that a column can show its
    /// number.
    /// </summary>
    /// <param name="given">The pod that is given up without having ended, if one is.</param>
    public static IList<AttemptStatus>? Update(
        IEnumerable<AttemptStatus>? recorded, IEnumerable<V1Pod> pods, RunState.NeverStarted? given = null)
    {
        var attempts = (recorded ?? []).ToList();
        foreach (var pod in pods.Where(p => p.Status?.StartTime is not null))
        {
            var index = attempts.FindIndex(a => a.Pod == pod.Metadata.Name);
            var number = index >= 0 ? attempts[index].Number : attempts.Select(a => a.Number).DefaultIfEmpty().Max() + 1;
            var attempt = given?.Pod == pod ? GivenUp(given, number) : Of(pod, number);
            if (index >= 0) attempts[index] = attempt;
            else attempts.Insert(0, attempt);
        }
        return attempts.Count == 0 ? null : [.. attempts.Take(Kept)];
    }

    /// <summary>Run time of the attempts that ended before the Job was last started: what a resumed Job has used up already.</summary>
    public static TimeSpan UsedTime(IEnumerable<AttemptStatus>? recorded, V1Job? job) =>
        (recorded ?? [])
            .Where(a => a is { StartTime: not null, FinishTime: not null })
            .Where(a => job?.Status?.StartTime is not { } started || a.FinishTime <= started)
            .Aggregate(TimeSpan.Zero, (sum, a) => sum + (a.FinishTime!.Value - a.StartTime!.Value));

    private static AttemptStatus GivenUp(RunState.NeverStarted given, int number) => new()
    {
        Number = number,
        Pod = given.Pod.Metadata.Name,
        StartTime = given.Pod.Status.StartTime,
        FinishTime = given.Finished.UtcDateTime,
        Failure = new() { Class = given.Reason, Message = given.Message },
    };

    private static AttemptStatus Of(V1Pod pod, int number)
    {
        var failure = PodOutcome.Of(pod)?.Failure;
        return new()
        {
            Number = number,
            Pod = pod.Metadata.Name,
            StartTime = pod.Status.StartTime,
            FinishTime = PodOutcome.Container(pod)?.State?.Terminated?.FinishedAt,
            Failure = failure is null ? null : new() { Class = failure.Class.ToString(), Step = failure.Step, Message = failure.Message },
        };
    }
}
