using System.Text.Json;

namespace Graft.Modeling.Tokenizers.Reading;

/// <summary>An object of a tokenizer.json, with the names that lead to it; what is wrong with it is thrown naming file and field.</summary>
internal sealed class JsonPart
{
    private readonly string file;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal) { "type" };

    public JsonPart(string file, string path, JsonElement element)
    {
        (this.file, Path, Element) = (file, path, element);
        if (element.ValueKind != JsonValueKind.Object) throw Bad("is no JSON object");
    }

    public string Path { get; }
    public JsonElement Element { get; }

    public ModelFormatException Bad(string problem) => new(file, Path.Length == 0 ? problem : $"{Path}: {problem}");

    public ModelFormatException Bad(string name, string problem) => new(file, $"{Join(name)}: {problem}");

    public JsonElement? Find(string name)
    {
        asked.Add(name);
        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>An option that changes what comes out and is not known is refused, not ignored.</summary>
    public void RefuseUnknown(params ReadOnlySpan<string> harmless)
    {
        foreach (var field in Element.EnumerateObject())
        {
            if (asked.Contains(field.Name) || harmless.Contains(field.Name)) continue;
            if (field.Value.ValueKind is JsonValueKind.Null or JsonValueKind.False || field.Value.ValueKind == JsonValueKind.String
                && field.Value.ValueEquals("")) continue;
            throw Bad(field.Name, "is not supported");
        }
    }

    public string Text(string name) => TextOr(name, null) ?? throw Bad(name, "is missing");

    public string? TextOr(string name, string? otherwise) => Find(name) is not { } value ? otherwise
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "is no text");

    public bool Flag(string name, bool otherwise = false) => Find(name) is not { } value ? otherwise
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name, "is neither true nor false");

    public int? Number(string name) => Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Bad(name, "is no whole number");

    public int Count(string name) => Number(name) is not { } value ? throw Bad(name, "is missing")
        : value >= 0 ? value : throw Bad(name, $"is {value}, less than 0");

    public JsonPart Object(string name) => ObjectOr(name) ?? throw Bad(name, "is missing");

    public JsonPart? ObjectOr(string name) => Find(name) is { } value ? new JsonPart(file, Join(name), value) : null;

    public IEnumerable<JsonPart> Objects(string name)
    {
        var i = 0;
        foreach (var item in List(name)) yield return new JsonPart(file, $"{Join(name)}[{i++}]", item);
    }

    public IEnumerable<JsonElement> List(string name) => Find(name) is not { } value ? throw Bad(name, "is missing")
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Bad(name, "is no list");

    /// <summary>One of an enumeration's names, spelt as in C# or in snake case.</summary>
    public T Choice<T>(string name, T? otherwise = null) where T : struct, Enum
    {
        if (Find(name) is null && otherwise is { } value) return value;
        var text = Text(name);
        return Enum.TryParse<T>(text.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var found)
            && !int.TryParse(text, out _)
            ? found : throw Bad(name, $"is '{text}'; supported: {string.Join(", ", Enum.GetNames<T>())}");
    }

    private string Join(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
