using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary><c>adapter_config.json</c> of an IA3, as PEFT 0.20 writes it.</summary>
internal static class PeftIa3Config
{
    private const string Prefix = "base_model.model.", Part = ".ia3_l";

    public static void Write(string path, Ia3Targets targets, BaseModel model, string baseModelName) =>
        PeftConfig.Write(path, new Dictionary<string, JsonNode?>
        {
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = baseModelName,
            ["exclude_modules"] = null,
            ["fan_in_fan_out"] = model.Transformer.Linears.Any(l => l.InputFirst),
            ["feedforward_modules"] = PeftConfig.Array(targets.FeedForward.Order(StringComparer.Ordinal)),
            ["inference_mode"] = true,
            ["init_ia3_weights"] = true,
            ["modules_to_save"] = TrainedHead.SavedNames(model) is { Count: > 0 } saved ? PeftConfig.Array(saved) : null,
            ["peft_type"] = "IA3",
            ["peft_version"] = PeftConfig.Version,
            ["revision"] = null,
            ["target_modules"] = PeftConfig.Array(targets.Modules.Order(StringComparer.Ordinal)),
            ["task_type"] = TrainedHead.TaskOf(model.Config),
        });

    /// <summary>Reads what decides the result; whatever would change it and is not supported is refused by name, all at once.</summary>
    public static Ia3Method Read(AdapterFolder folder)
    {
        var fields = folder.Config;
        TrainedHead.CheckModulesToSave(folder);
        fields.Know("auto_mapping", "base_model_name_or_path", "exclude_modules", "fan_in_fan_out", "feedforward_modules", "inference_mode",
            "init_ia3_weights", "peft_type", "peft_version", "revision", "target_modules", "task_type");
        var stored = folder.Weights.Tensors
            .Where(t => t.Key.StartsWith(Prefix, StringComparison.Ordinal) && t.Key.EndsWith(Part, StringComparison.Ordinal))
            .Select(t => (Name: t.Key[Prefix.Length..^Part.Length], OfInput: t.Value.Shape is [1, > 1])).ToList();
        // Where they are a pattern, or cut down by another field, the tensors alone say what is tuned.
        var listed = Listed(fields, "target_modules") && Listed(fields, "feedforward_modules") && !fields.Has("exclude_modules");
        var targets = listed
            ? new Ia3Targets(fields.Texts("target_modules")!, fields.Texts("feedforward_modules")!)
            : new Ia3Targets([.. stored.Select(s => s.Name)], [.. stored.Where(s => s.OfInput).Select(s => s.Name)]);
        fields.RefuseUnread(_ => false);
        fields.ThrowIfWrong();
        return new Ia3Method(targets);
    }

    private static bool Listed(JsonFields fields, string name) => fields.Find(name) is { ValueKind: JsonValueKind.Array };
}
