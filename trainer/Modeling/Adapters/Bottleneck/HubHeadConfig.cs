using System.Text.Json.Nodes;

namespace Graft.Modeling.Adapters;

/// <summary><c>head_config.json</c>: the labels of a classifier's head that lies beside an adapter of AdapterHub.</summary>
internal static class HubHeadConfig
{
    public static void Write(string path, BaseModel model, string baseModelName)
    {
        var labels = new JsonObject(
            model.Config.Labels.Select((l, i) => KeyValuePair.Create(l, (JsonNode?)i)).OrderBy(l => l.Key, StringComparer.Ordinal));
        HubConfig.Write(path, null, null, model, baseModelName, ("label2id", labels), ("num_labels", model.Config.Labels.Count));
    }

    /// <summary>The labels in the order of the head's rows.</summary>
    /// <exception cref="ModelFormatException">It names none, or not every one once.</exception>
    public static IReadOnlyList<string> Labels(string path)
    {
        using var json = ModelConfigReader.Parse(path);
        var fields = new JsonFields(path, json.RootElement);
        if (fields.Object("label2id") is not { IsEmpty: false } labels)
            throw new ModelFormatException(path, "label2id is missing, so nobody knows the labels");
        List<(int Id, string Label)> named = [.. labels.Names.Select(n => (labels.Integer(n) ?? -1, n)).OrderBy(l => l.Item1)];
        if (named.Where((l, i) => l.Id != i).Any()) fields.Wrong("label2id must number the labels 0, 1, 2 and so on");
        fields.ThrowIfWrong();
        return [.. named.Select(l => l.Label)];
    }
}
