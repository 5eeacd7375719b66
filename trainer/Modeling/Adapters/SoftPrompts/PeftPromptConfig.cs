using System.Text.Json.Nodes;

namespace Graft.Modeling.Adapters;

/// <summary><c>adapter_config.json</c> of virtual tokens, as PEFT 0.20 writes it: every field, sorted.</summary>
internal static class PeftPromptConfig
{
    /// <summary>The fields that all such methods have.</summary>
    /// <param name="saved">What trains whole of a classifier; PEFT names both that a head may be called.</param>
    public static SortedDictionary<string, JsonNode?> Of(
        string type, int tokens, ModelConfig config, IEnumerable<string> saved, string baseModelName) =>
        new(StringComparer.Ordinal)
        {
            ["auto_mapping"] = null, ["base_model_name_or_path"] = baseModelName, ["inference_mode"] = true,
            ["modules_to_save"] = config.Task == ModelTask.Classification ? PeftConfig.Array(saved) : null,
            ["num_attention_heads"] = config.Heads, ["num_layers"] = config.Layers, ["num_transformer_submodules"] = 1,
            ["num_virtual_tokens"] = tokens, ["peft_type"] = type, ["peft_version"] = PeftConfig.Version, ["revision"] = null,
            ["task_type"] = TrainedHead.TaskOf(config), ["token_dim"] = config.HiddenSize,
        };

    /// <summary>Modules that train whole, as often as PEFT names them: more often after each load and save.</summary>
    public static IReadOnlyList<string>? Saved(AdapterFolder folder) => folder.Config.Texts("modules_to_save");

    /// <summary>How many virtual tokens there are, which is all that the stored form leaves to be known.</summary>
    public static int Tokens(AdapterFolder folder)
    {
        var fields = folder.Config;
        var tokens = fields.Count("num_virtual_tokens");
        if (tokens < 1 && fields.Has("num_virtual_tokens")) fields.Wrong($"num_virtual_tokens is {tokens}; it must be at least 1");
        if (fields.Integer("num_transformer_submodules") is { } parts and not 1)
            fields.Wrong($"num_transformer_submodules is {parts}; only models of one part are supported");
        fields.ThrowIfWrong();
        return tokens;
    }
}
