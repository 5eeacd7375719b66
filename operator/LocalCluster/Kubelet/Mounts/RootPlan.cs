namespace Graft.LocalCluster.Kubelet.Mounts;

/// <summary>One step towards a container's root folder; paths are absolute, as the container will see them.</summary>
internal abstract record RootStep(string Path)
{
    internal sealed record Folder(string Path) : RootStep(Path);
    internal sealed record File(string Path) : RootStep(Path);
    internal sealed record Link(string Path, string Target) : RootStep(Path);

    /// <summary>A part of the machine's own tree, with what is mounted below it.</summary>
    internal sealed record Host(string Path) : RootStep(Path);

    /// <summary>A volume of the pod.</summary>
    internal sealed record Volume(string Path, string Source, bool ReadOnly) : RootStep(Path);
}

/// <summary>
/// Which binds make a root folder that looks like this machine's, with the pod's mounts in it. A mount point that the machine
/// does not have is never made on the machine: the folder it would lie in is rebuilt in memory from binds of its entries. This
/// is how <c>/graft/job</c> appears in <c>/</c> and <c>/dev/termination-log</c> in <c>/dev</c>.
/// </summary>
internal static class RootPlan
{
    // Of the machine's devices a container gets those that container runtimes give, and accelerators.
    private static readonly string[] Devices =
        ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue", "fd", "stdin", "stdout", "stderr"];
    private static readonly string[] DevicePrefixes = ["nvidia", "dri", "kfd", "dxg"];

    public static IReadOnlyList<RootStep> Make(IReadOnlyList<PodMount> mounts, IHostTree host)
    {
        // Outer mounts first: an inner one lies on top of them.
        var volumes = mounts.Select(m => m with { Target = RealPath.Of(m.Target, host) })
            .OrderBy(m => m.Target.Count(c => c == '/')).ThenBy(m => m.Target, StringComparer.Ordinal).ToList();
        var steps = new List<RootStep>();
        Rebuild("/", volumes, host, steps);
        foreach (var volume in volumes)
        {
            var below = volumes.Any(v => v != volume && IsBelow(volume.Target, v.Target));
            if (below || host.Find(volume.Target) is null) steps.AddRange(MountPoint(volume));
            steps.Add(new RootStep.Volume(volume.Target, volume.Source, volume.ReadOnly));
        }
        return steps;
    }

    private static IEnumerable<RootStep> MountPoint(PodMount volume) => volume.IsFile
        ? [new RootStep.Folder(System.IO.Path.GetDirectoryName(volume.Target)!), new RootStep.File(volume.Target)]
        : [new RootStep.Folder(volume.Target)];

    private static void Rebuild(string folder, List<PodMount> volumes, IHostTree host, List<RootStep> steps)
    {
        foreach (var entry in host.List(folder))
        {
            if (folder == "/dev" && !IsWantedDevice(entry.Name)) continue;
            var path = folder == "/" ? "/" + entry.Name : $"{folder}/{entry.Name}";
            switch (entry.Kind)
            {
                case HostEntryKind.Link:
                    steps.Add(new RootStep.Link(path, entry.Target!));
                    break;
                case HostEntryKind.File:
                    steps.Add(new RootStep.File(path));
                    steps.Add(new RootStep.Host(path));
                    break;
                case HostEntryKind.Folder when volumes.Any(v => IsBelow(v.Target, path) && IsNew(v, volumes, host)):
                    steps.Add(new RootStep.Folder(path));
                    Rebuild(path, volumes, host, steps);
                    break;
                default:
                    steps.Add(new RootStep.Folder(path));
                    steps.Add(new RootStep.Host(path));
                    break;
            }
        }
    }

    /// <summary>Whether the machine has no place for this volume, and no other volume has.</summary>
    private static bool IsNew(PodMount volume, List<PodMount> volumes, IHostTree host) =>
        host.Find(volume.Target) is null && !volumes.Any(v => IsBelow(volume.Target, v.Target));

    private static bool IsBelow(string path, string folder) =>
        path.Length > folder.Length && path.StartsWith(folder, StringComparison.Ordinal) && (folder == "/" || path[folder.Length] == '/');

    private static bool IsWantedDevice(string name) =>
        Devices.Contains(name) || DevicePrefixes.Any(p => name.StartsWith(p, StringComparison.Ordinal));
}
