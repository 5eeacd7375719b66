using System.Text.Json;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>Parts of a tokenizer.json as it lies in the file; null means that a part is not there.</summary>
internal static class TokenizerElements
{
    public static JsonElement? Find(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static bool IsTrue(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.True };

    public static string? Type(this JsonElement element) => element.GetProperty("type").GetString();
}
