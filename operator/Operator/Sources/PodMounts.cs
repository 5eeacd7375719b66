using Graft.Contract;
using k8s.Models;

namespace Graft.Operator.Sources;

/// <summary>
/// The volumes of one pod, collected while its paths are worked out: each claim once, each file of this machine once.
/// The order of the calls decides names, so the same spec always gives the same pod.
/// </summary>
internal sealed class PodMounts
{
    private readonly Dictionary<string, string> _claimVolumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _filePaths = new(StringComparer.Ordinal);
    private readonly List<V1Volume> _volumes = [];
    private readonly List<V1VolumeMount> _mounts = [];

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
