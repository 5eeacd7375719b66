using System.Security.Cryptography;
using System.Text;
using Graft.Contract;
using Graft.Operator.Api;
using Graft.Runtime;
using k8s;
using k8s.Models;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>
/// The controllers and kubelets of the cluster, as far as the operator can see: a pod for each Job and for each template of a Deployment.
/// A pod's name says what it was made for, so that anything that was made twice is seen in the end.
/// </summary>
/// <param name="failure">What every trainer ends with; null for a result.</param>
internal sealed class PlayedNode(ApiClient admin, string ns, FailureClass? failure)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(25);
    private readonly List<string> _jobs = [];

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var pods = await admin.ListAsync<V1Pod>(ns, ct: cancellation);
            foreach (var job in await admin.ListAsync<V1Job>(ns, ct: cancellation)) await PlayAsync(job, pods, cancellation);
            foreach (var deployment in await admin.ListAsync<V1Deployment>(ns, ct: cancellation)) await PlayAsync(deployment, pods, cancellation);
            await Task.Delay(Step, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PlayAsync(V1Job job, IReadOnlyList<V1Pod> pods, CancellationToken cancellation)
    {
        if (job.Status?.Conditions?.Any(c => c.Type is "Complete" or "Failed") == true || job.Spec.Suspend == true) return;
        if (!_jobs.Contains(job.Metadata.Uid)) _jobs.Add(job.Metadata.Uid);
        var name = $"{job.Metadata.Name}-{_jobs.IndexOf(job.Metadata.Uid)}";
        if (pods.All(p => p.Metadata.Name != name))
        {
            await StandAsync(Pod(job, name, job.Spec.Template), Make.Running, "Running", cancellation);
            return;
        }
        // The trainer ends when somebody has seen it train.
        var run = await admin.GetAsync<FineTuneJob>(job.Metadata.Name, ns, cancellation);
        if (run?.Status?.Progress?.Step != 3) return;
        var pod = pods.First(p => p.Metadata.Name == name);
        if (failure is { } why)
        {
            await StandAsync(pod, Make.Ended(ExitCodes.Of(why), Make.Result(Make.Failure(why))), "Failed", cancellation);
            job.Status = new() { StartTime = Make.Now.UtcDateTime, Failed = 1 };
            job.Status.Conditions = [.. ((string[])["FailureTarget", "Failed"]).Select(type => Make.Condition(type, "PodFailurePolicy"))];
        }
        else
        {
            await StandAsync(pod, Make.Ended(0, Make.Result(Make.Success())), "Succeeded", cancellation);
            job.Status = new() { StartTime = Make.Now.UtcDateTime, CompletionTime = Make.Now.UtcDateTime, Succeeded = 1 };
            job.Status.Conditions = [new() { Type = "SuccessCriteriaMet", Status = "True" }, new() { Type = "Complete", Status = "True" }];
        }
        await TryAsync(() => admin.UpdateStatusAsync(job, cancellation));
    }

    private async Task PlayAsync(V1Deployment deployment, IReadOnlyList<V1Pod> pods, CancellationToken cancellation)
    {
        var template = ObjectJson.ToNode(deployment.Spec.Template)!.ToJsonString();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(template)))[..6];
        var name = $"{deployment.Metadata.Name}-{hash}";
        foreach (var old in pods.Where(p => p.Metadata.Name.StartsWith($"{deployment.Metadata.Name}-", StringComparison.Ordinal)
            && p.Metadata.Name != name))
            await admin.DeleteAsync(old, cancellation);
        if (pods.All(p => p.Metadata.Name != name))
            await StandAsync(Pod(deployment, name, deployment.Spec.Template), Make.Running, "Running", cancellation);
        if (deployment.Status?.ObservedGeneration == deployment.Metadata.Generation && deployment.Status?.ReadyReplicas == 1) return;
        deployment.Status = new()
        {
            ObservedGeneration = deployment.Metadata.Generation, Replicas = 1, UpdatedReplicas = 1, ReadyReplicas = 1, AvailableReplicas = 1,
        };
        await TryAsync(() => admin.UpdateStatusAsync(deployment, cancellation));
    }

    private V1Pod Pod(IKubernetesObject<V1ObjectMeta> owner, string name, V1PodTemplateSpec template) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new()
        {
            Name = name, NamespaceProperty = ns, Labels = template.Metadata.Labels, OwnerReferences = [Owners.Reference(owner)],
        },
        Spec = template.Spec,
    };

    private Task StandAsync(V1Pod pod, V1ContainerState state, string phase, CancellationToken cancellation) => TryAsync(async () =>
    {
        var live = await admin.GetAsync<V1Pod>(pod.Metadata.Name, ns, cancellation) ?? await admin.CreateAsync(pod, cancellation);
        var ready = state.Terminated is null;
        live.Status = new()
        {
            Phase = phase,
            PodIP = "127.0.0.1",
            StartTime = Make.Now.UtcDateTime,
            Conditions = [new() { Type = "Ready", Status = ready ? "True" : "False" }],
            ContainerStatuses =
            [
                new() { Name = pod.Spec.Containers[0].Name, State = state, Image = "any", ImageID = "", RestartCount = 0, Ready = ready },
            ],
        };
        await admin.UpdateStatusAsync(live, cancellation);
    });

    // The operator wrote in between: the next step sees what.
    private static async Task TryAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (ApiException e) when (e.IsConflict || e.IsNotFound)
        {
        }
    }
}
