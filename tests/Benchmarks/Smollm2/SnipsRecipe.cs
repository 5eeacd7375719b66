using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Trainer.Data;

namespace Graft.Benchmarks.Smollm2;

/// <summary>
/// The recipe beside the model, whose figures with Hugging Face are known: rows in order, prompt, hyperparameters and scoring.
/// A command goes in, its intent and slots come out as JSON.
/// </summary>
internal sealed class SnipsRecipe
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly JsonNode recipe;
    private readonly JsonNode[] train, validate;

    private SnipsRecipe(string model, JsonNode recipe, JsonNode[] train, JsonNode[] validate) =>
        (Model, this.recipe, this.train, this.validate) = (model, recipe, train, validate);

    /// <summary>The GGUF file.</summary>
    public string Model { get; }
    public int Steps => (int)recipe["steps"]!;
    public int BatchSize => (int)recipe["batch"]!;
    public AdamW Optimizer { get; } = new(WeightDecay: 0.01);
    public LoraMethod Lora =>
        new(new LoraTargets { AllLinear = new AllLinear() }, (int)recipe["lora"]!["r"]!, (double)recipe["lora"]!["alpha"]!);

    /// <summary>Longest answer that the recipe generates.</summary>
    public static int MaxNewTokens => 96;

    /// <param name="folder">The model's folder, with <c>snips-recipe.json</c>.</param>
    public static SnipsRecipe Read(string folder)
    {
        var recipe = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "snips-recipe.json")))!;
        var data = Path.Combine(folder, (string)recipe["data"]!);
        JsonNode[] Rows(string file, string indices)
        {
            var lines = File.ReadAllLines(Path.Combine(data, file));
            return [.. recipe[indices]!.AsArray().Select(i => JsonNode.Parse(lines[(int)i!])!)];
        }
        return new SnipsRecipe(Directory.GetFiles(folder, "*.gguf")[0], recipe, Rows("train.jsonl", "train_rows"),
            Rows("validate.jsonl", "validate_rows"));
    }

    /// <summary>Warm-up over 10 steps times a line to zero over all.</summary>
    public double LearningRate(int step) => 1e-3 * Math.Min(1, (step + 1) / 10.0) * (1 - (double)step / Steps);

    /// <summary>Rows to learn from, in the order of the recipe.</summary>
    public IReadOnlyList<Sample> TrainRows => Samples(train, "train.jsonl");

    /// <summary>Rows to be judged by.</summary>
    public IReadOnlyList<Sample> ValidationRows => Samples(validate, "validate.jsonl");

    public IReadOnlyList<string> Prompts => [.. validate.Select(Prompt)];

    /// <summary>
    /// Shares of answers with the right intent, and of answers that are right as a whole, the order of the slots included.
    /// </summary>
    public (double Intent, double Exact) Score(IReadOnlyList<string> answers)
    {
        int intent = 0, exact = 0;
        foreach (var (answer, row) in answers.Zip(validate))
        {
            if (Parse(answer) is not JsonObject parsed) continue;
            if (JsonNode.DeepEquals(parsed["intent"], row["intent"])) intent++;
            if (JsonNode.DeepEquals(parsed, Answer(row))) exact++;
        }
        return ((double)intent / answers.Count, (double)exact / answers.Count);
    }

    private IReadOnlyList<Sample> Samples(JsonNode[] rows, string file) =>
        [.. rows.Select((row, i) => new PromptSample(new Origin(file, i + 1), Prompt(row), Spaced(Answer(row))))];

    private string Prompt(JsonNode row) => ((string)recipe["prompt"]!).Replace("{text}", (string)row["text"]!, StringComparison.Ordinal);

    private static JsonObject Answer(JsonNode row) =>
        new() { ["intent"] = row["intent"]!.DeepClone(), ["slots"] = row["slots"]!.DeepClone() };

    /// <summary>JSON with a space after each comma and colon, as the recipe's answers are written.</summary>
    private static string Spaced(JsonNode node) => node switch
    {
        JsonObject map => $"{{{string.Join(", ", map.Select(m => $"{Text(m.Key)}: {Spaced(m.Value!)}"))}}}",
        JsonArray list => $"[{string.Join(", ", list.Select(i => Spaced(i!)))}]",
        _ => node.ToJsonString(Plain),
    };

    private static string Text(string name) => JsonValue.Create(name).ToJsonString(Plain);

    private static JsonNode? Parse(string answer)
    {
        try
        {
            return JsonNode.Parse(answer);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
