using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>How the API server writes values into messages: quoted strings, numbers in their shortest form, objects as JSON.</summary>
internal static class GoText
{
    /// <summary>The value as it appears after "Invalid value: ".</summary>
    public static string Of(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.String => Quote(value.GetValue<string>()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => JsonNumber.Read(value).Text,
        _ => Json(value),
    };

    /// <summary>Compact JSON with sorted keys, as maps are marshalled by the API server.</summary>
    public static string Json(JsonNode? value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject o:
                text.Append('{');
                var first = true;
                foreach (var (key, member) in o.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    text.Append(first ? "" : ",").Append(QuoteJson(key)).Append(':');
                    Append(text, member);
                    first = false;
                }
                text.Append('}');
                break;
            case JsonArray a:
                text.Append('[');
                for (var i = 0; i < a.Count; i++)
                {
                    text.Append(i == 0 ? "" : ",");
                    Append(text, a[i]);
                }
                text.Append(']');
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String:
                text.Append(QuoteJson(v.GetValue<string>()));
                break;
            default:
                text.Append(Of(value));
                break;
        }
    }

    /// <summary>A string in double quotes with Go's escapes.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        foreach (var rune in value.EnumerateRunes())
        {
            var escape = rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                7 => "\\a",
                8 => "\\b",
                11 => "\\v",
                12 => "\\f",
                < 0x20 or 0x7f => string.Create(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
                _ => null,
            };
            text.Append(escape ?? rune.ToString());
        }
        return text.Append('"').ToString();
    }

    private static string QuoteJson(string value) => JsonSerializer.Serialize(value, JsonText.Default.String);
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions]
[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class JsonText : System.Text.Json.Serialization.JsonSerializerContext;
