using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Graft.LocalCluster.Faults;

/// <summary>One line of a watch.</summary>
/// <param name="Object">Its object, as it stands in the line.</param>
/// <param name="EndsInitialEvents">A bookmark that a client may be waiting for.</param>
internal sealed record WatchedEvent(string Type, string Namespace, string Name, ReadOnlyMemory<byte> Object, bool EndsInitialEvents)
{
    public bool IsBookmark => Type == "BOOKMARK";

    public static WatchedEvent Parse(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var type = document.RootElement.GetProperty("type").GetString()!;
        var shown = document.RootElement.GetProperty("object");
        // A table's row carries the object, or its metadata.
        var obj = shown.TryGetProperty("rows", out var rows) && rows.GetArrayLength() > 0 && rows[0].TryGetProperty("object", out var inRow)
            ? inRow
            : shown;
        var hasMetadata = obj.TryGetProperty("metadata", out var metadata);
        return new WatchedEvent(
            type, Text(metadata, "namespace"), Text(metadata, "name"), JsonMarshal.GetRawUtf8Value(shown).ToArray(),
            hasMetadata && metadata.TryGetProperty("annotations", out _));

        string Text(JsonElement of, string field) =>
            hasMetadata && of.TryGetProperty(field, out var value) ? value.GetString() ?? "" : "";
    }

    public byte[] ToLine()
    {
        var line = new ArrayBufferWriter<byte>();
        line.Write("{\"type\":\""u8);
        line.Write(Encoding.UTF8.GetBytes(Type));
        line.Write("\",\"object\":"u8);
        line.Write(Object.Span);
        line.Write("}\n"u8);
        return line.WrittenSpan.ToArray();
    }

    /// <summary>
    /// What a client sees of these events that lists again instead of reading them: of each object its last state, and nothing of what
    /// came and went. An object that was replaced by another of its name is told as gone and new, which a list cannot hide either.
    /// </summary>
    public static IReadOnlyList<WatchedEvent> Fold(IEnumerable<WatchedEvent> events)
    {
        var folded = new List<WatchedEvent>();
        foreach (var next in events)
        {
            var earlier = next.IsBookmark
                ? folded.FindIndex(e => e.IsBookmark && !e.EndsInitialEvents)
                : folded.FindLastIndex(e => !e.IsBookmark && (e.Namespace, e.Name) == (next.Namespace, next.Name));
            var before = earlier < 0 ? null : folded[earlier];
            if (before is null || next.Type == "ERROR" || before.Type == "DELETED")
            {
                folded.Add(next);
                continue;
            }
            folded.RemoveAt(earlier);
            if (before.Type == "ADDED" && next.Type == "DELETED")
                continue;
            folded.Add(before.Type == "ADDED" ? next with { Type = "ADDED" } : next);
        }
        return folded;
    }
}
