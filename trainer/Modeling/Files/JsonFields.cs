using System.Text.Json;

namespace Graft.Modeling;

/// <summary>Fields of a JSON object that somebody else wrote; what is wrong is collected rather than thrown one by one.</summary>
internal sealed class JsonFields
{
    private readonly string path;
    private readonly JsonElement element;
    private readonly List<string> problems;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonFields> objects = new(StringComparer.Ordinal);

    public JsonFields(string path, JsonElement element, List<string>? problems = null)
    {
        (this.path, this.element, this.problems) = (path, element, problems ?? []);
        if (element.ValueKind != JsonValueKind.Object) throw new ModelFormatException(path, "is no JSON object");
    }

    public void Wrong(string problem) => problems.Add(problem);

    public void ThrowIfWrong()
    {
        if (problems.Count > 0) throw new ModelFormatException(path, string.Join("; ", problems.Distinct(StringComparer.Ordinal)));
    }

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Whether the field is there and says null, which is not the same as a field that is missing.</summary>
    public bool IsNull(string name) => Asked(name) && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Null;

    public bool IsEmpty => !element.EnumerateObject().Any();

    public IEnumerable<string> Names => element.EnumerateObject().Select(p => p.Name);

    /// <summary>Whether a field is more than absent, null, false, or an empty list or map.</summary>
    public bool Says(string name) => Find(name) is { } value && value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.False => false,
        _ => true,
    };

    public string? Text(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : Bad<string>(name, value, "a text");

    public bool? Flag(string name) => Find(name) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : BadValue<bool>(name, value, "true or false");

    public double? Number(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : BadValue<double>(name, value, "a number");

    public int? Integer(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : BadValue<int>(name, value, "a whole number");

    public int CountOr(string name, int otherwise) => Integer(name) ?? otherwise;

    public int Count(string name)
    {
        if (!Has(name)) Wrong($"{name} is missing");
        return Integer(name) ?? 0;
    }

    /// <summary>A token id, or a list of them.</summary>
    public IReadOnlyList<int> Ids(string name)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var one)) return [one];
        if (value.ValueKind != JsonValueKind.Array) return Bad<IReadOnlyList<int>>(name, value, "a token id or a list of them") ?? [];
        var ids = new List<int>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id)) ids.Add(id);
            else Wrong($"{name} holds {item.GetRawText()}, which is no token id");
        }
        return ids;
    }

    public IReadOnlyList<string>? Texts(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            return Bad<IReadOnlyList<string>>(name, value, "a list of texts");
        return [.. value.EnumerateArray().Select(v => v.GetString()!)];
    }

    public JsonFields? Object(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) return Bad<JsonFields>(name, value, "an object");
        if (!objects.TryGetValue(name, out var fields)) objects[name] = fields = new JsonFields(path, value, problems);
        return fields;
    }

    public JsonElement? Find(string name) =>
        Asked(name) && element.TryGetProperty(name, out var value)
            && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>Fields that the reader knows, whether or not it had to look at them: another one said the same, or switched them off.</summary>
    public void Know(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) asked.Add(name);
    }

    /// <summary>
    /// Whatever nobody asked for may be an option that changes the result, and is refused by name; in the objects too that were read. Null,
    /// false and what is empty switch nothing on.
    /// </summary>
    public void RefuseUnread(Func<string, bool> harmless) => RefuseUnread(harmless, "");

    private void RefuseUnread(Func<string, bool> harmless, string at)
    {
        foreach (var field in element.EnumerateObject())
            if (!asked.Contains(field.Name) && !harmless(field.Name) && !IsOff(field.Value))
                Wrong($"{at}{field.Name} is {Short(field.Value)}, and there is no such option here");
        foreach (var (name, fields) in objects) fields.RefuseUnread(harmless, $"{at}{name}.");
    }

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    private bool Asked(string name)
    {
        asked.Add(name);
        return true;
    }

    private T? Bad<T>(string name, JsonElement value, string wanted) where T : class
    {
        Wrong($"{name} is {Short(value)}, not {wanted}");
        return null;
    }

    private T? BadValue<T>(string name, JsonElement value, string wanted) where T : struct
    {
        Wrong($"{name} is {Short(value)}, not {wanted}");
        return null;
    }

    private static string Short(JsonElement value) => value.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : value.GetRawText();
}
