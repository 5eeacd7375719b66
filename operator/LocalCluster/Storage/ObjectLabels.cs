using System.Text.Json;

namespace Graft.LocalCluster.Storage;

/// <summary>Labels straight from an object's UTF-8, for selectors that go over many objects: no tree is made of any of them.</summary>
internal static class ObjectLabels
{
    private static readonly Dictionary<string, string> None = [];

    public static IReadOnlyDictionary<string, string> Of(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!Enter(ref reader, "metadata"u8) || !Enter(ref reader, "labels"u8))
            return None;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.String)
                labels[key] = reader.GetString()!;
            else
                reader.Skip();
        }
        return labels;
    }

    /// <summary>Reads to the beginning of the object that is the member of that name in the object that follows or has begun.</summary>
    private static bool Enter(ref Utf8JsonReader reader, ReadOnlySpan<byte> member)
    {
        if (reader.TokenType == JsonTokenType.None)
            reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(member);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
        }
        return false;
    }
}
