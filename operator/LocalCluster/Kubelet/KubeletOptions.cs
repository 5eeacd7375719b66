using Graft.LocalCluster.Kubelet.Processes;

namespace Graft.LocalCluster.Kubelet;

/// <summary>What an image is on this machine: a program and the arguments that come before the container's own.</summary>
public sealed record ImageProgram(string Program, params IReadOnlyList<string> Arguments);

/// <summary>A path that programs open through an environment variable where they cannot have mounts of their own.</summary>
public sealed record PathVariable(string Path, string Variable);

public sealed record KubeletOptions
{
    /// <summary>Image name -> program. Any other image cannot be pulled.</summary>
    public IReadOnlyDictionary<string, ImageProgram> Images { get; init; } = new Dictionary<string, ImageProgram>();

    /// <summary>Folders that hostPath volumes may lie in, beside the state folder.</summary>
    public IReadOnlyList<string> HostFolders { get; init; } = [];

    /// <summary>Where mounts are not possible: which variable says where a path really is.</summary>
    public IReadOnlyList<PathVariable> PathVariables { get; init; } = [];

    /// <summary>Variables of this process that its pods get too; a name that ends with an underscore stands for all that begin so.</summary>
    public IReadOnlyList<string> InheritedVariables { get; init; } = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "NUGET_PACKAGES", "DOTNET_"];

    /// <summary>Null takes the strongest isolation that works.</summary>
    public Isolation? Isolation { get; init; }

    /// <summary>Pause before the first restart of a container that ended; it doubles each time.</summary>
    public TimeSpan FirstRestartPause { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan LongestRestartPause { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often volumes look whether what they show has changed; the kubelet takes about a minute.</summary>
    public TimeSpan VolumeRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>At most this long do pods get to end by themselves when the cluster stops.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(4);
}
