using System.Text.Json;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Reads <c>adapter_config.json</c> of a LoRA: what decides the result. Whatever would change it and is not supported is refused by name,
/// all at once.
/// </summary>
internal static class PeftLoraReader
{
    private const string Prefix = "base_model.model.";

    private static readonly string[] Parts = [".lora_A.weight", ".lora_embedding_A"];

    /// <summary>Modules that may share a weight.</summary>
    private static readonly string[] Ties = ["embed_tokens", "lm_head"];

    private static readonly string[] UnsupportedFlags = ["lora_bias", "use_qalora", "use_bdlora"];

    private static readonly string[] UnsupportedFields =
    [
        "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "monteclora_config", "target_parameters",
        "trainable_token_indices", "velora_config",
    ];

    /// <summary>Beginnings that changed the base's weights, so that the folder does not go with the original base.</summary>
    private static readonly string[] ChangedBases = ["pissa", "olora", "corda", "loftq", "lora_ga"];

    public static (LoraMethod Options, PeftLoraFields Fields) Read(AdapterFolder folder)
    {
        var fields = folder.Config;
        foreach (var name in UnsupportedFlags)
            if (fields.Find(name) is { ValueKind: JsonValueKind.True or JsonValueKind.Object }) fields.Wrong($"{name} is not supported");
        foreach (var name in UnsupportedFields)
            if (fields.Says(name)) fields.Wrong($"{name} is not supported");
        if (fields.Find("init_lora_weights") is { ValueKind: JsonValueKind.String } how
            && ChangedBases.Any(c => how.GetString()!.StartsWith(c, StringComparison.OrdinalIgnoreCase)))
            fields.Wrong($"init_lora_weights is '{how.GetString()}', which changes the base's weights; save the adapter with "
                + "path_initial_model_for_weight_conversion, so that it goes with the original base");
        var rank = fields.Count("r");
        if (rank < 1 && fields.Has("r")) fields.Wrong($"r is {rank}");
        var alpha = fields.Number("lora_alpha") ?? 8;
        if (!double.IsFinite(alpha)) fields.Wrong($"lora_alpha is {alpha}");
        var dropout = fields.Number("lora_dropout") ?? 0;
        if (dropout is not (>= 0 and < 1)) fields.Wrong($"lora_dropout is {dropout}; it must be at least 0 and below 1");
        var saved = fields.Texts("modules_to_save") ?? [];
        var rule = Rule(folder);
        if (fields.Flag("ensure_weight_tying") == true
            && saved.Concat(rule.Names ?? []).Any(n => Ties.Any(t => LoraTargetRule.Matches(n, t))))
            fields.Wrong("ensure_weight_tying is not supported");
        var options = new LoraMethod(
            new LoraTargets { Modules = rule.Names, AllLinear = rule.AllLinear ? new AllLinear() : null }, rank, alpha, dropout,
            RsLora: fields.Flag("use_rslora") ?? false,
            Dora: fields.Flag("use_dora") ?? false,
            Bias: BiasOf(fields),
            Layers: rule.Layers)
        {
            RankPattern = Pattern<int>(fields, "rank_pattern", v => v.TryGetInt32(out var r) && r > 0 ? r : null, "a whole number above 0"),
            AlphaPattern = Pattern<double>(
                fields, "alpha_pattern", v => v.TryGetDouble(out var a) && double.IsFinite(a) ? a : null, "a number"),
            ModulesToSave = saved,
        };
        fields.ThrowIfWrong();
        return (options, new PeftLoraFields(rule));
    }

    private static LoraBias BiasOf(JsonFields fields)
    {
        if (fields.Text("bias") is not { } name) return LoraBias.None;
        foreach (var bias in Enum.GetValues<LoraBias>())
            if (PeftLoraConfig.NameOf(bias) == name) return bias;
        fields.Wrong($"bias is '{name}'; it can be none, all or lora_only");
        return LoraBias.None;
    }

    private static LoraTargetRule Rule(AdapterFolder folder)
    {
        var fields = folder.Config;
        var rule = new LoraTargetRule { Layers = Layers(fields), LayersPatterns = OneOrMore(fields, "layers_pattern") ?? [] };
        foreach (var pattern in rule.LayersPatterns) Check(fields, "layers_pattern", () => ModulePattern.Block(pattern));
        if (fields.Find("exclude_modules") is { ValueKind: JsonValueKind.String } excluded)
        {
            rule = rule with { ExcludedPattern = excluded.GetString() };
            Check(fields, "exclude_modules", () => ModulePattern.Whole(rule.ExcludedPattern!));
        }
        else rule = rule with { ExcludedNames = fields.Texts("exclude_modules") ?? [] };
        if (fields.Find("target_modules") is { ValueKind: JsonValueKind.String } wanted)
        {
            if (wanted.GetString()!.Equals("all-linear", StringComparison.OrdinalIgnoreCase)) return rule with { AllLinear = true };
            rule = rule with { Pattern = wanted.GetString() };
            Check(fields, "target_modules", () => ModulePattern.Whole(rule.Pattern!));
            return rule;
        }
        // Where nothing is said the tensors say it.
        return rule with { Names = fields.Texts("target_modules") ?? Tuned(folder) };
    }

    private static List<string> Tuned(AdapterFolder folder) =>
        [.. folder.Weights.Tensors.Keys.Where(k => k.StartsWith(Prefix, StringComparison.Ordinal))
            .SelectMany(k => Parts.Where(p => k.EndsWith(p, StringComparison.Ordinal)).Select(p => k[Prefix.Length..^p.Length]))];

    private static List<int>? Layers(JsonFields fields)
    {
        if (fields.Find("layers_to_transform") is not { } value) return null;
        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToList() : [value];
        var found = new List<int>();
        foreach (var item in items)
            if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var layer)) found.Add(layer);
            else fields.Wrong("layers_to_transform holds something that is no whole number");
        return found.Count == 0 ? null : found;
    }

    private static IReadOnlyList<string>? OneOrMore(JsonFields fields, string name) =>
        fields.Find(name) is { ValueKind: JsonValueKind.String } one ? [one.GetString()!] : fields.Texts(name);

    private static Dictionary<string, T> Pattern<T>(JsonFields fields, string name, Func<JsonElement, T?> read, string wanted)
        where T : struct
    {
        var found = new Dictionary<string, T>(StringComparer.Ordinal);
        if (fields.Find(name) is not { } value) return found;
        if (value.ValueKind != JsonValueKind.Object)
        {
            fields.Wrong($"{name} is no object of patterns");
            return found;
        }
        foreach (var entry in value.EnumerateObject())
        {
            Check(fields, name, () => ModulePattern.Suffix(entry.Name));
            if (entry.Value.ValueKind == JsonValueKind.Number && read(entry.Value) is { } known) found[entry.Name] = known;
            else fields.Wrong($"{name} says {entry.Value.GetRawText()} for '{entry.Name}', not {wanted}");
        }
        return found;
    }

    private static void Check(JsonFields fields, string name, Action compile)
    {
        try
        {
            compile();
        }
        catch (ArgumentException e)
        {
            fields.Wrong($"{name} holds no regular expression that can be used: {e.Message}");
        }
    }
}
