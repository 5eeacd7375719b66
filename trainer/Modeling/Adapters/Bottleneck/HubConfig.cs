using System.Text.Json.Nodes;

namespace Graft.Modeling.Adapters;

/// <summary>What AdapterHub's configurations say of the model that an adapter or a head is for.</summary>
internal static class HubConfig
{
    /// <summary>The release of AdapterHub's library whose files these are.</summary>
    private const string Version = "adapters.1.2.0";

    /// <param name="name">Of the adapter; null for a head.</param>
    public static void Write(
        string path, JsonNode? config, string? name, BaseModel model, string baseModelName, params (string, JsonNode?)[] more) =>
        PeftConfig.Write(path, new Dictionary<string, JsonNode?>(more.Select(m => KeyValuePair.Create(m.Item1, m.Item2)))
        {
            ["config"] = config,
            ["hidden_size"] = model.Config.HiddenSize,
            ["model_class"] = model.Config.Architecture,
            ["model_name"] = baseModelName,
            ["model_type"] = model.Config.ModelType,
            ["name"] = name,
            ["version"] = Version,
        });
}
