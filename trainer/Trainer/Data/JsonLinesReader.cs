using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>One JSON object a line; blank lines are passed over.</summary>
internal static class JsonLinesReader
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    public static List<Sample> Read(StreamReader reader, DataSource source, bool labeled)
    {
        var samples = new List<Sample>();
        for (var line = 1; reader.ReadLine() is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text)) continue;
            samples.Add(Parse(text, source, new Origin(source.Source, line), labeled));
        }
        return samples;
    }

    private static Sample Parse(string text, DataSource source, Origin origin, bool labeled)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            var row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object) throw Broken(origin, "a line must hold one JSON object");
            var columns = (source.Columns is { } named && labeled ? Columns.Labeled(named) : source.Columns)
                ?? Columns.Find(name => row.TryGetProperty(name, out _), labeled)
                ?? throw Broken(origin, Columns.Missing(row.EnumerateObject().Select(p => p.Name), labeled));
            if (columns.Label is { } label)
            {
                return new LabeledSample(origin, Text(Member(row, columns.Text!, origin), columns.Text!, origin),
                    Text(Member(row, label, origin), label, origin).Trim());
            }
            if (columns.Messages is { } messages) return new ChatSample(origin, Messages(Member(row, messages, origin), messages, origin));
            if (columns.Text is { } plain) return new TextSample(origin, Text(Member(row, plain, origin), plain, origin));
            return new PromptSample(origin,
                Text(Member(row, columns.Prompt!, origin), columns.Prompt!, origin),
                Text(Member(row, columns.Completion!, origin), columns.Completion!, origin));
        }
        catch (JsonException e)
        {
            // The parser counts lines from where it began, which is this one.
            var why = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw Broken(origin, $"not one JSON object: {why} (at byte {e.BytePositionInLine + 1})");
        }
        catch (InvalidOperationException)
        {
            // The parser's answer to a name or a text that no string can hold is no JsonException.
            throw Broken(origin, "a text in it has half of a surrogate pair: an escape from \\ud800 to \\udfff that stands alone");
        }
    }

    private static JsonElement Member(JsonElement row, string column, Origin origin) => row.TryGetProperty(column, out var value)
        ? value
        : throw Broken(origin, $"no \"{column}\"; the line has {string.Join(", ", row.EnumerateObject().Select(p => $"\"{p.Name}\""))}");

    private static string Text(JsonElement value, string column, Origin origin) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw Broken(origin, $"\"{column}\" must be a text"),
    };

    private static List<ChatMessage> Messages(JsonElement value, string column, Origin origin)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw Broken(origin, $"\"{column}\" must be a list of messages, each with role and content");
        var messages = new List<ChatMessage>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object) throw Broken(origin, $"\"{column}\" must hold objects with role and content");
            messages.Add(new ChatMessage(
                Text(Member(item, "role", origin), "role", origin),
                Text(Member(item, "content", origin), "content", origin)));
        }
        return messages;
    }

    private static RunFailedException Broken(Origin origin, string why) =>
        RunFailedException.Dataset($"{origin.File} line {origin.Line}: {why}");
}
