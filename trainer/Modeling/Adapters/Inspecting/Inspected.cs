using Graft.Contract;

namespace Graft.Modeling;

/// <summary>What a folder or file is, found out without computing anything: from headers, JSON and metadata alone.</summary>
/// <param name="Facts">Null of a whole model.</param>
/// <param name="BaseName">The base as the adapter's configuration names it.</param>
/// <param name="Refusal">Why nothing here can read it although it is an adapter; null: it can.</param>
/// <param name="Artifact">Its manifest, where it has one.</param>
public sealed record Inspected(
    InspectedKind Kind, AdapterFacts? Facts, string? BaseName = null, string? Refusal = null, StoredArtifact? Artifact = null)
{
    /// <summary>Null of a whole model.</summary>
    public AdapterFormat? Format => Kind switch
    {
        InspectedKind.PeftAdapter => AdapterFormat.Peft,
        InspectedKind.AdapterHubAdapter => AdapterFormat.AdapterHub,
        InspectedKind.GgufAdapter => AdapterFormat.Gguf,
        _ => null,
    };

    /// <exception cref="ModelFormatException">
    /// It is neither an adapter nor a model, cannot be read, or is not what its manifest says; each with a message of its own.
    /// </exception>
    public static Inspected At(string path)
    {
        path = Path.GetFullPath(path);
        var root = TrustedRoot.Named(path);
        if (!Directory.Exists(path)) return Adapters.GgufInspector.Read(path);
        root.Check(path);
        var artifact = Adapters.ArtifactCheck.Verify(path, root);
        var found = File.Exists(Path.Combine(path, ArtifactLayout.AdapterConfig)) ? Adapters.FolderInspector.Read(path)
            : !File.Exists(Path.Combine(path, ModelConfigReader.FileName)) && Directory.GetFiles(path, "*.gguf") is [var only]
                ? Adapters.GgufInspector.Read(only)
            : Model(path);
        return artifact is null ? found
            : found with { Artifact = artifact, Facts = found.Facts is { } facts ? With(facts, artifact) : null };
    }

    private static Inspected Model(string path) =>
        File.Exists(Path.Combine(path, ModelConfigReader.FileName)) ? new Inspected(InspectedKind.Model, null)
            : throw new ModelFormatException(path,
                $"is neither an adapter nor a model: it holds no {ArtifactLayout.AdapterConfig}, no "
                    + $"{ModelConfigReader.FileName} and no .gguf file");

    /// <summary>What files cannot say.</summary>
    private static AdapterFacts With(AdapterFacts facts, StoredArtifact artifact) => facts with
    {
        BaseDigest = artifact.BaseModel?.Digest ?? "",
        ModelType = facts.ModelType ?? artifact.Trained?.Facts.ModelType,
        Task = facts.Task ?? artifact.Trained?.Facts.Task,
    };
}
