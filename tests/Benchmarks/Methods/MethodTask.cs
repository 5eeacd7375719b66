using Graft.Contract;
using Graft.Trainer.Data;

namespace Graft.Benchmarks.Methods;

/// <summary>What all methods learn: a model, rows to learn, rows to be judged by, and text that must not be forgotten.</summary>
/// <param name="Model">Folder or GGUF file.</param>
/// <param name="General">Rows as the base model knows them.</param>
/// <param name="LearningRate">Of a LoRA.</param>
internal sealed record MethodTask(
    string Model, string Train, string Validation, string General, int Steps, int BatchSize, double LearningRate, Precision Precision)
{
    /// <summary>Longest example in tokens.</summary>
    public const int MaxLength = 256;

    /// <summary>Rows of each kind that are judged.</summary>
    public const int JudgedRows = 96;

    public IReadOnlyList<Sample> TrainRows => Rows(Train);
    public IReadOnlyList<Sample> ValidationRows => [.. Rows(Validation).Take(JudgedRows)];

    /// <summary>The last ones: of the quickstart's corpus they are as good as any.</summary>
    public IReadOnlyList<Sample> GeneralRows => [.. Rows(General).TakeLast(JudgedRows)];

    private static IReadOnlyList<Sample> Rows(string file) => SampleReader.Read(new DataSource(file, Path.GetFullPath(file)));
}
