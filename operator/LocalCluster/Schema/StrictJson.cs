using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>A body that is not JSON, or that nests deeper than anything legitimate.</summary>
internal sealed class JsonSyntaxException(string message) : Exception(message);

/// <summary>
/// Decodes request bodies: reports members that stand twice in one object (the last one counts), and normalises numbers, so that
/// <c>2e-4</c> and <c>0.0002</c> are stored, compared and shown as the same text.
/// </summary>
internal static class StrictJson
{
    private const int MaxDepth = 256;

    /// <summary>Decodes one document.</summary>
    /// <param name="utf8">The body.</param>
    /// <param name="duplicates">The paths of members that stand more than once, for example <c>spec.replicas</c>; those below
    /// lists carry the index: <c>spec.items[0].name</c>.</param>
    /// <exception cref="JsonSyntaxException">The body is not one JSON document.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, out IReadOnlyList<string> duplicates)
    {
        var found = new OrderedDictionary<string, bool>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            var node = ReadValue(ref reader, "", found);
            if (reader.Read())
            {
                throw new JsonSyntaxException("unexpected data after the JSON document");
            }
            duplicates = [.. found.Keys];
            return node;
        }
        catch (JsonException e)
        {
            throw new JsonSyntaxException(string.Create(
                CultureInfo.InvariantCulture, $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {Plain(e.Message)}"));
        }
        catch (InvalidOperationException e)
        {
            // A string that is no UTF-8, or half of a surrogate pair.
            throw new JsonSyntaxException(e.Message);
        }
    }

    /// <summary>Decodes one document where duplicates do not matter.</summary>
    public static JsonNode? Parse(string json) => Parse(Encoding.UTF8.GetBytes(json), out _);

    /// <summary>The same tree with numbers in their normal form; for documents that came from elsewhere, such as YAML.</summary>
    public static JsonNode? Normalize(JsonNode? node) => node is null ? null : Parse(node.ToJsonString());

    private static string Plain(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, string path, OrderedDictionary<string, bool> duplicates) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader, path, duplicates),
        JsonTokenType.StartArray => ReadArray(ref reader, path, duplicates),
        JsonTokenType.String => JsonValue.Create(reader.GetString()),
        JsonTokenType.True => JsonValue.Create(true),
        JsonTokenType.False => JsonValue.Create(false),
        JsonTokenType.Number => ReadNumber(ref reader),
        _ => null,
    };

    private static JsonObject ReadObject(ref Utf8JsonReader reader, string path, OrderedDictionary<string, bool> duplicates)
    {
        var result = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var memberPath = path.Length == 0 ? name : path + "." + name;
            reader.Read();
            var value = ReadValue(ref reader, memberPath, duplicates);
            if (result.ContainsKey(name))
            {
                duplicates.TryAdd(memberPath, true);
            }
            result[name] = value;
        }
        return result;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, string path, OrderedDictionary<string, bool> duplicates)
    {
        var result = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var itemPath = string.Create(CultureInfo.InvariantCulture, $"{path}[{result.Count}]");
            result.Add(ReadValue(ref reader, itemPath, duplicates));
        }
        return result;
    }

    private static JsonValue? ReadNumber(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var integer))
        {
            return JsonValue.Create(integer);
        }
        var value = reader.GetDouble();
        if (!double.IsFinite(value))
        {
            throw new JsonSyntaxException("cannot unmarshal number " + Encoding.UTF8.GetString(reader.ValueSpan) + " into a float64");
        }
        // Kept as an element, because the normal text must survive writing: 1E-05 is written 0.00001.
        using var document = JsonDocument.Parse(JsonNumber.Of(value).Text);
        return JsonValue.Create(document.RootElement.Clone());
    }
}
