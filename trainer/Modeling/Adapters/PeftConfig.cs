using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Modeling.Adapters;

/// <summary>What all of PEFT's configurations have in common.</summary>
internal static class PeftConfig
{
    /// <summary>The PEFT release whose fields these are.</summary>
    public const string Version = "0.20.0";

    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes fields sorted by name.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, JsonNode?> fields) =>
        Write(path, new JsonObject(fields.OrderBy(f => f.Key, StringComparer.Ordinal)));

    public static void Write(string path, JsonObject config) => File.WriteAllText(path, config.ToJsonString(Readable));

    public static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    /// <summary>As Python writes a float: with a point, even where it is whole.</summary>
    public static JsonNode Float(double value)
    {
        var text = JsonValue.Create(value).ToJsonString();
        return text.AsSpan().ContainsAny('.', 'E') ? JsonNode.Parse(text)! : JsonNode.Parse(text + ".0")!;
    }

    /// <summary>A whole number without a point.</summary>
    public static JsonNode Number(double value) => JsonValue.Create(value);
}
