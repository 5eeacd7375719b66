using System.Text.Json.Nodes;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <param name="Rule">Of the folder that the adapter was read from, or none.</param>
/// <param name="Targets">Names of the targets; where the rule has a pattern, that is written.</param>
/// <param name="Saved">Modules that train whole.</param>
/// <param name="InputFirst">The targets' weights are stored as (in, out).</param>
internal sealed record PeftLoraValues(
    LoraMethod Options, LoraTargetRule? Rule, IReadOnlyList<string> Targets, IReadOnlyList<string> Saved, bool InputFirst, string Task,
    string BaseModelName);

/// <summary>
/// <c>adapter_config.json</c> of a LoRA, as PEFT 0.20 writes it: every field, sorted, with PEFT's default where we have no say.
/// </summary>
internal static class PeftLoraConfig
{
    private static readonly string[] Absent =
    [
        "alora_invocation_tokens", "arrow_config", "auto_mapping", "corda_config", "eva_config", "kasa_config", "layer_replication",
        "lora_ga_config", "megatron_config", "monteclora_config", "revision", "target_parameters", "trainable_token_indices", "use_bdlora",
        "velora_config",
    ];

    private static readonly string[] Off = ["ensure_weight_tying", "lora_bias", "use_qalora"];

    public static void Write(string path, PeftLoraValues values)
    {
        var (o, rule) = (values.Options, values.Rule);
        var fields = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = Object(o.AlphaPattern, v => v),
            ["base_model_name_or_path"] = values.BaseModelName,
            ["bias"] = NameOf(o.Bias),
            ["exclude_modules"] = rule?.ExcludedPattern ?? (JsonNode?)Texts(rule?.ExcludedNames.Order(StringComparer.Ordinal)),
            ["fan_in_fan_out"] = values.InputFirst,
            ["inference_mode"] = true,
            // What began as a part of the weight is stored so that it no longer matters.
            ["init_lora_weights"] = o.Initialization == LoraInitialization.Gaussian ? "gaussian" : true,
            ["layers_pattern"] = rule?.LayersPatterns is [var only] ? only : Texts(rule?.LayersPatterns),
            ["layers_to_transform"] = o.Layers is { } layers ? new JsonArray([.. layers.Select(l => (JsonNode)l)]) : null,
            ["loftq_config"] = new JsonObject(),
            ["lora_alpha"] = o.Alpha,
            ["lora_dropout"] = o.Dropout,
            ["megatron_core"] = "megatron.core",
            ["modules_to_save"] = Texts(values.Saved),
            ["peft_type"] = "LORA",
            ["peft_version"] = PeftConfig.Version,
            ["qalora_group_size"] = 16,
            ["r"] = o.Rank,
            ["rank_pattern"] = Object(o.RankPattern, v => v),
            ["target_modules"] = rule?.Pattern ?? (JsonNode?)Texts(values.Targets),
            ["task_type"] = values.Task,
            ["use_dora"] = o.Dora,
            ["use_rslora"] = o.RsLora,
        };
        foreach (var name in Absent) fields[name] = null;
        foreach (var name in Off) fields[name] = false;
        PeftConfig.Write(path, fields);
    }

    /// <summary>In PEFT's words.</summary>
    public static string NameOf(LoraBias bias) => bias switch
    {
        LoraBias.All => "all",
        LoraBias.LoraOnly => "lora_only",
        _ => "none",
    };

    /// <summary>Null where there are none.</summary>
    private static JsonArray? Texts(IEnumerable<string>? texts) =>
        texts?.Select(t => (JsonNode)t).ToArray() is { Length: > 0 } nodes ? new JsonArray(nodes) : null;

    private static JsonObject Object<T>(IReadOnlyDictionary<string, T> values, Func<T, JsonNode> node) =>
        new(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)node(v.Value))));
}
