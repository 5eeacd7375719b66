using Graft.Contract;
using k8s.Models;

namespace Graft.Operator.Sources;

/// <summary>
/// The volumes of one pod, collected while its paths are worked out: each claim once, each file of this machine once.
/// The order of the calls decides names, so the same spec always gives the same pod.
/// </summary>
internal sealed class PodMounts
{
    // Octal 0440: the program's group reads it, nobody writes it.
    private const int SecretMode = 288;

    private readonly Dictionary<string, string> _claimVolumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _filePaths = new(StringComparer.Ordinal);
    private readonly List<V1Volume> _volumes = [];
    private readonly List<V1VolumeMount> _mounts = [];

    /// <summary>Whether the pod fetches something, and so has a cache.</summary>
    public bool Fetches { get; private set; }

    public IList<V1Volume> Volumes => [.. _volumes];
    public IList<V1VolumeMount> Mounts => [.. _mounts];

    /// <summary>Mounts what a source lies on, read-only, and says where the source is in the pod.</summary>
    public string Add(Source source) => source switch
    {
        Source.Pvc pvc => Join(AddClaim(pvc.Claim, ContractPaths.Claims + "/" + pvc.Claim, readOnly: true), pvc.Path),
        Source.File file => AddFile(file.Path),
        _ => throw new ArgumentOutOfRangeException(nameof(source)),
    };

    /// <summary>
    /// Mounts a claim at <paramref name="path"/>. The volume itself is never read-only, only the mount, because one claim
    /// may be read at one path and written at another.
    /// </summary>
    public string AddClaim(string claim, string path, bool readOnly)
    {
        if (!_claimVolumes.TryGetValue(claim, out var volume))
        {
            volume = _claimVolumes[claim] = $"claim-{_claimVolumes.Count}";
            _volumes.Add(new V1Volume { Name = volume, PersistentVolumeClaim = new() { ClaimName = claim } });
        }
        if (_mounts.All(m => m.MountPath != path))
            _mounts.Add(new V1VolumeMount { Name = volume, MountPath = path, ReadOnlyProperty = readOnly ? true : null });
        return path;
    }

    public void AddConfigMap(string volume, string configMap, string path)
    {
        _volumes.Add(new V1Volume { Name = volume, ConfigMap = new() { Name = configMap } });
        _mounts.Add(new V1VolumeMount { Name = volume, MountPath = path, ReadOnlyProperty = true });
    }

    public void AddScratch(string volume, string path)
    {
        _volumes.Add(new V1Volume { Name = volume, EmptyDir = new() });
        _mounts.Add(new V1VolumeMount { Name = volume, MountPath = path });
    }

    /// <summary>
    /// Where the pod puts what it fetches: a claim, or a folder of this machine where that is where pods run, or else a
    /// folder that dies with the pod.
    /// </summary>
    public void AddCache(string? claim, string? hostFolder)
    {
        if (Fetches && claim is null) return;
        if (claim is not null)
        {
            Remove("cache");
            AddClaim(claim, ContractPaths.Cache, readOnly: false);
        }
        else if (hostFolder is not null)
        {
            _volumes.Add(new V1Volume { Name = "cache", HostPath = new() { Path = hostFolder, Type = "DirectoryOrCreate" } });
            _mounts.Add(new V1VolumeMount { Name = "cache", MountPath = ContractPaths.Cache });
        }
        else
        {
            AddScratch("cache", ContractPaths.Cache);
        }
        Fetches = true;
    }

    /// <summary>Mounts a Secret's keys as files, and says where they are in the pod.</summary>
    public string AddCredentials(string secret)
    {
        var path = $"{ContractPaths.Credentials}/{secret}";
        if (_mounts.Any(m => m.MountPath == path)) return path;
        var volume = $"credentials-{_mounts.Count(m => m.MountPath.StartsWith(ContractPaths.Credentials + "/", StringComparison.Ordinal))}";
        _volumes.Add(new V1Volume { Name = volume, Secret = new() { SecretName = secret, DefaultMode = SecretMode } });
        _mounts.Add(new V1VolumeMount { Name = volume, MountPath = path, ReadOnlyProperty = true });
        return path;
    }

    private void Remove(string volume)
    {
        _volumes.RemoveAll(v => v.Name == volume);
        _mounts.RemoveAll(m => m.Name == volume);
    }

    // The file keeps its name in the pod, because a data format is told by its ending.
    private string AddFile(string path)
    {
        if (_filePaths.TryGetValue(path, out var known)) return known;
        var number = _filePaths.Count;
        var name = Path.GetFileName(path);
        var mountPath = Join($"{ContractPaths.Files}/{number}", name);
        _volumes.Add(new V1Volume { Name = $"file-{number}", HostPath = new() { Path = path } });
        _mounts.Add(new V1VolumeMount { Name = $"file-{number}", MountPath = mountPath, ReadOnlyProperty = true });
        return _filePaths[path] = mountPath;
    }

    private static string Join(string folder, string path) => path.Length == 0 ? folder : folder + "/" + path;
}
