using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary><c>adapter_config.json</c> of a LoRA, as PEFT 0.20 writes it: every field, sorted, with PEFT's default where we have no say.</summary>
internal static class PeftLoraConfig
{
    /// <summary>The PEFT release whose fields these are.</summary>
    private const string PeftVersion = "0.20.0";

    private const string Prefix = "base_model.model.", PartA = ".lora_A.weight";

    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] Absent =
    [
        "alora_invocation_tokens", "arrow_config", "auto_mapping", "corda_config", "eva_config", "exclude_modules", "kasa_config", "layer_replication",
        "layers_pattern", "layers_to_transform", "lora_ga_config", "megatron_config", "modules_to_save", "monteclora_config", "revision",
        "target_parameters", "trainable_token_indices", "use_bdlora", "velora_config",
    ];

    private static readonly string[] Off = ["ensure_weight_tying", "fan_in_fan_out", "lora_bias", "use_dora", "use_qalora"];

    public static void Write(string path, int rank, double alpha, double dropout, bool rsLora, IEnumerable<string> targets, string baseModelName)
    {
        var fields = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = new JsonObject(), ["base_model_name_or_path"] = baseModelName, ["bias"] = "none", ["inference_mode"] = true,
            ["init_lora_weights"] = true, ["loftq_config"] = new JsonObject(), ["lora_alpha"] = alpha, ["lora_dropout"] = dropout,
            ["megatron_core"] = "megatron.core", ["peft_type"] = "LORA", ["peft_version"] = PeftVersion, ["qalora_group_size"] = 16,
            ["r"] = rank, ["rank_pattern"] = new JsonObject(), ["task_type"] = "CAUSAL_LM", ["use_rslora"] = rsLora,
            ["target_modules"] = new JsonArray([.. targets.Order(StringComparer.Ordinal).Select(t => (JsonNode)t)]),
        };
        foreach (var name in Absent) fields[name] = null;
        foreach (var name in Off) fields[name] = false;
        File.WriteAllText(path, new JsonObject(fields).ToJsonString(Readable));
    }

    /// <summary>Reads what decides the result; whatever would change it and is not supported is refused by name, all at once.</summary>
    public static LoraMethod Read(AdapterFolder folder)
    {
        var fields = folder.Config;
        if (fields.Text("bias") is { } bias and not "none") fields.Wrong($"bias is '{bias}'; only 'none' is supported");
        foreach (var name in Off.Append("use_bdlora"))
            if (name != "ensure_weight_tying" && fields.Flag(name) == true) fields.Wrong($"{name} is true, which is not supported");
        foreach (var name in new[] { "rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication" })
            if (fields.Find(name) is { } value && !IsEmpty(value)) fields.Wrong($"{name} is not supported");
        var rank = fields.Count("r");
        if (rank < 1 && fields.Has("r")) fields.Wrong($"r is {rank}");
        var read = new LoraMethod(
            new LoraTargets { Modules = Targets(folder) }, rank, fields.Number("lora_alpha") ?? 8, RsLora: fields.Flag("use_rslora") ?? false);
        fields.ThrowIfWrong();
        return read;
    }

    /// <summary>Where they are a pattern, or cut down by other fields, the tensors alone say what is tuned.</summary>
    private static IReadOnlyList<string>? Targets(AdapterFolder folder) =>
        folder.Config.Find("target_modules") is { ValueKind: JsonValueKind.Array }
            && !folder.Config.Has("layers_to_transform") && !folder.Config.Has("exclude_modules")
            ? folder.Config.Texts("target_modules")
            : [.. folder.Weights.Tensors.Keys.Where(k => k.StartsWith(Prefix, StringComparison.Ordinal) && k.EndsWith(PartA, StringComparison.Ordinal))
                .Select(k => k[Prefix.Length..^PartA.Length])];

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };
}
