using Graft.LocalCluster.Kubelet.Mounts;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Kubelet.Volumes;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>From a container's specification to the process that it is on this machine.</summary>
internal sealed class ContainerSetup(KubeletContext context, V1Pod pod, string podIp, PodVolumes volumes, IReadOnlyDictionary<string, string> open)
{
    private const string DefaultTerminationPath = "/dev/termination-log";

    /// <summary>The container's own folder.</summary>
    public string Folder(V1Container container) => Path.Combine(context.PodFolder(pod), "containers", container.Name);

    public string TerminationFile(V1Container container) => Path.Combine(Folder(container), "termination-log");

    /// <exception cref="ContainerConfigException">Something that it refers to is missing.</exception>
    /// <exception cref="VolumeException">A mount that cannot be made.</exception>
    public async Task<ProcessSpec> PrepareAsync(V1Container container, ImageProgram image, int restart, CancellationToken cancel)
    {
        var folder = Directory.CreateDirectory(Folder(container)).FullName;
        await File.WriteAllTextAsync(TerminationFile(container), "", cancel).ConfigureAwait(false);
        var start = context.BaseEnvironment(pod);
        var services = pod.Spec.EnableServiceLinks == false ? []
            : await context.Client.ListAsync<V1Service>(pod.Metadata.NamespaceProperty, ct: cancel).ConfigureAwait(false);
        foreach (var (name, value) in ServiceVariables.Of(context.Client.BaseUri, services)) start[name] = value;
        var variables = new ContainerEnvironment(context.Client, pod, podIp);
        var expanded = container.VolumeMounts?.Any(m => m.SubPathExpr is { Length: > 0 }) == true
            ? await variables.ResolveAsync(container, start, cancel).ConfigureAwait(false) : null;
        List<PodMount> mounts =
        [
            .. volumes.Mounts(container, pod, open, expanded),
            new PodMount(container.TerminationMessagePath ?? DefaultTerminationPath, TerminationFile(container), IsFile: true),
        ];
        if (context.Host.Isolation == Isolation.Variables)
        {
            foreach (var (name, value) in PathVariables.For(mounts, context.Options.PathVariables, folder)) start[name] = value;
        }
        var environment = await variables.ResolveAsync(container, start, cancel).ConfigureAwait(false);
        var command = Command(container, image, environment);
        var memory = container.Resources?.Limits?.TryGetValue("memory", out var limit) == true ? (long)limit.ToDecimal() : (long?)null;
        return new ProcessSpec(
            command, environment, mounts, container.WorkingDir is { Length: > 0 } work ? work : folder, folder,
            context.Logs.File(pod.Metadata.Uid, container.Name, restart), memory);
    }

    /// <summary>As with images: <c>command</c> takes the place of the program, <c>args</c> come after it.</summary>
    private static List<string> Command(V1Container container, ImageProgram image, Dictionary<string, string> environment)
    {
        IEnumerable<string> program = container.Command is { Count: > 0 } command
            ? command.Select(c => VariableExpansion.Expand(c, environment))
            : [image.Program, .. image.Arguments];
        return [.. program, .. (container.Args ?? []).Select(a => VariableExpansion.Expand(a, environment))];
    }

    /// <summary>What a shell would say of a program that cannot be found; null when it can.</summary>
    public static string? Missing(ProcessSpec spec)
    {
        var program = spec.Command[0];
        if (program.Contains('/', StringComparison.Ordinal))
            return File.Exists(program) || spec.Mounts.Any(m => RealPath.IsWithin(program, m.Target)) ? null : $"exec: \"{program}\": stat {program}: no such file or directory";
        var path = spec.Environment.TryGetValue("PATH", out var value) ? value : "/usr/bin:/bin";
        return path.Split(':').Any(p => File.Exists(Path.Combine(p, program))) ? null : $"exec: \"{program}\": executable file not found in $PATH";
    }
}
