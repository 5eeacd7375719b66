using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>
/// What training goes on from: a file of an artifact that holds every tensor that trains (<see cref="TuningMethod.StateFile"/>).
/// </summary>
internal static class TrainingState
{
    private const string Version = "1", VersionKey = "graft.state", MethodKey = "graft.method";

    /// <summary>Writes the state that <see cref="ArtifactLayout.AdapterWeights"/> cannot hold.</summary>
    public static void Write(string folder, TuningMethod method) => SafetensorsWriter.Write(
        Path.Combine(folder, ArtifactLayout.TrainingState), method.Trainable.Select(t => (t.Name, t.Parameter)),
        new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt", [VersionKey] = Version, [MethodKey] = method.Name });

    /// <exception cref="TuningException">The method's artifacts are models, which are gone on from as bases.</exception>
    /// <exception cref="ModelFormatException">The folder is another method's, lacks the state, or cannot be read.</exception>
    public static SafetensorsFile Open(string folder, TuningMethod method)
    {
        if (method.StateFile is not { } name)
            throw new TuningException([
                $"method.{method.Name} trains the model itself; to go on from an artifact of it, name that as the base model."]);
        using (var adapter = AdapterFolder.Open(folder))
        {
            using var made = TuningMethods.Of(adapter);
            if (made.Name != method.Name)
                throw new ModelFormatException(adapter.ConfigPath, $"is of {made.Name}, so method.{method.Name} cannot go on from it");
        }
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
            throw new ModelFormatException(folder, $"holds no {name}, so training cannot go on from it: "
                + $"{ArtifactLayout.AdapterWeights} has only what was computed from the tensors that train");
        var file = SafetensorsFile.Open(path);
        if (name != ArtifactLayout.TrainingState || Problem(file, method) is not { } problem) return file;
        file.Dispose();
        throw new ModelFormatException(path, problem);
    }

    private static string? Problem(SafetensorsFile file, TuningMethod method)
    {
        var (version, made) = (file.Metadata.GetValueOrDefault(VersionKey), file.Metadata.GetValueOrDefault(MethodKey));
        return version != Version ? $"has {VersionKey} '{version}' in its metadata; only '{Version}' can be read"
            : made != method.Name ? $"has {MethodKey} '{made}' in its metadata, and not '{method.Name}'" : null;
    }
}
