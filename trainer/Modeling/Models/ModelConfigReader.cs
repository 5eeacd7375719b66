using System.Text.Json;
using System.Text.Unicode;
using Graft.Modeling.Files;
using Graft.Modeling.Models;

namespace Graft.Modeling;

/// <summary>
/// Reads a model's configuration from Hugging Face's <c>config.json</c> (the spelling before and since transformers 5). An option that
/// changes what the model computes and is not implemented is refused by name.
/// </summary>
internal static class ModelConfigReader
{
    public const string FileName = "config.json";

    /// <param name="task">What the model is wanted for; null: whatever it was made for.</param>
    /// <param name="labels">As <see cref="LoadOptions.Labels"/>.</param>
    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelPlan PlanOfFolder(string folder, ModelTask? task, IReadOnlyList<string>? labels = null)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new ModelFormatException(folder, "holds no config.json, so it is no model folder");
        using var config = Parse(path);
        var plan = Architectures.Read(path, config.RootElement, task, labels);
        var more = GenerationEos(folder);
        return more.Count == 0 ? plan : plan with { Config = plan.Config with { EosIds = [.. plan.Config.EosIds.Union(more)] } };
    }

    /// <summary>A GGUF file's metadata, as the <c>config.json</c> that they mean and as it is read.</summary>
    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelPlan PlanOfGguf(GgufFile file, ModelTask? task, IReadOnlyList<string>? labels = null)
    {
        using var config = JsonDocument.Parse(GgufConfig.ToHuggingFace(file).ToJsonString());
        return Architectures.Read(file.Path, config.RootElement, task, labels);
    }

    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelConfig FromFolder(string folder) => PlanOfFolder(folder, null).Config;

    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelConfig FromGguf(GgufFile file) => PlanOfGguf(file, null).Config;

    /// <exception cref="ModelFormatException">It is no JSON, or larger than such a file can be.</exception>
    internal static JsonDocument Parse(string path)
    {
        try
        {
            FileSizes.Check(path);
            var bytes = File.ReadAllBytes(path);
            // The parser would find it only when a text is asked for, and then with an error of its own.
            if (!Utf8.IsValid(bytes)) throw new ModelFormatException(path, "is not UTF-8");
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {e.Message}", e);
        }
    }

    private static IReadOnlyList<int> GenerationEos(string folder)
    {
        var path = Path.Combine(folder, "generation_config.json");
        if (!File.Exists(path)) return [];
        using var json = Parse(path);
        var fields = new JsonFields(path, json.RootElement);
        var ids = fields.Ids("eos_token_id");
        fields.ThrowIfWrong();
        return ids;
    }
}
