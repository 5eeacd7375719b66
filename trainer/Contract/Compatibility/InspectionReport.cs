namespace Graft.Contract;

/// <summary>
/// What <c>graft-trainer inspect --json</c> prints: what a folder or file is, and what each engine will do with it.
/// </summary>
public sealed record InspectionReport
{
    public const string CurrentVersion = "graft.dev/inspection/v1alpha1";

    public string Version { get; init; } = CurrentVersion;
    public required string Path { get; init; }
    public required InspectedKind Kind { get; init; }

    /// <summary>Null of a whole model.</summary>
    public AdapterFacts? Facts { get; init; }

    /// <summary>The base as the adapter's configuration or manifest names it.</summary>
    public string? BaseName { get; init; }

    /// <summary>Null where there is no <c>manifest.json</c>. Where there is one, every file was found to be what it says.</summary>
    public Provenance? Provenance { get; init; }

    /// <summary>In the order of the engines asked for.</summary>
    public required IReadOnlyList<Verdict> Engines { get; init; }
}

public enum InspectedKind { PeftAdapter, AdapterHubAdapter, GgufAdapter, Model, GgufModel }

/// <summary>Where an artifact of Graft's own comes from.</summary>
/// <param name="Digest">Of its <c>manifest.json</c>.</param>
public sealed record Provenance(
    string Name,
    string Digest,
    BaseModelReference BaseModel,
    DatasetReference Dataset,
    IReadOnlyDictionary<string, double> Metrics,
    int Steps,
    DateTimeOffset Created,
    string Producer);
