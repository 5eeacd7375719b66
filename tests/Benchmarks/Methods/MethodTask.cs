using System.Text.Json.Nodes;
using Graft.Benchmarks.Smollm2;
using Graft.Contract;
using Graft.Trainer.Data;

namespace Graft.Benchmarks.Methods;

/// <summary>What all methods learn: a model, rows to learn, rows to be judged by, and text that must not be forgotten.</summary>
/// <param name="Model">Folder or GGUF file.</param>
/// <param name="General">Rows that the base answers already.</param>
/// <param name="Templated">Prompts are put into the model's chat template; else they are as they are to be.</param>
internal sealed record MethodTask(
    string Model, IReadOnlyList<Sample> Train, IReadOnlyList<Sample> Validation, IReadOnlyList<Sample> General, bool Templated, int Steps,
    int BatchSize, Precision Precision)
{
    /// <summary>Longest example in tokens.</summary>
    public const int MaxLength = 256;

    /// <summary>The quickstart's own model and data; general text is the last of what its base was trained on.</summary>
    public static MethodTask Quickstart(int steps) => new(
        "samples/quickstart/model", Rows("samples/quickstart/data/train.jsonl"), Rows("samples/quickstart/data/validation.jsonl"),
        [.. Rows("samples/quickstart/base/corpus.jsonl").TakeLast(96)], Templated: true, steps, BatchSize: 16, Precision.F32);

    /// <summary>The rows of <see cref="SnipsRecipe"/>; general text is the worked answers of GSM8K beside them.</summary>
    /// <param name="folder">The model's, with the recipe.</param>
    public static MethodTask Snips(string folder, int steps)
    {
        const int judged = 24;
        var recipe = SnipsRecipe.Read(folder);
        var general = File.ReadLines(Path.Combine(folder, "../../data/gsm8k/test.jsonl")).Take(judged).Select((line, i) =>
        {
            var row = JsonNode.Parse(line)!;
            return new PromptSample(new Origin("gsm8k", i + 1), $"{row["question"]}\n", $"{row["answer"]}");
        });
        return new MethodTask(
            recipe.Model, [.. recipe.TrainRows.Take(steps * recipe.BatchSize)], [.. recipe.ValidationRows.Take(judged)], [.. general],
            Templated: false, steps, recipe.BatchSize, Precision.Auto);
    }

    private static IReadOnlyList<Sample> Rows(string file) => SampleReader.Read(new DataSource(file, Path.GetFullPath(file)));
}
