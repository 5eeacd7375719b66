using System.Text.Json;

namespace Graft.Modeling.Chat;

/// <summary>JSON as a template's values; names keep their order, and of a name that comes twice the last counts.</summary>
internal static class JsonValues
{
    public static object? Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0 && element.TryGetInt64(out var whole)
            ? (object)whole : element.GetDouble(),
        JsonValueKind.Array => element.EnumerateArray().Select(Of).ToList(),
        _ => MapOf(element),
    };

    private static Map MapOf(JsonElement element)
    {
        var map = new Map();
        foreach (var property in element.EnumerateObject()) map[property.Name] = Of(property.Value);
        return map;
    }
}
