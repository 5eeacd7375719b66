using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>What a server answered.</summary>
internal sealed record Answer(int Code, string Body, string? ContentType, IReadOnlyList<string> Warnings)
{
    private JsonObject? _object;

    /// <summary>Headers by name, in any case; several values of one are joined by commas.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private init; } = new Dictionary<string, string>();

    /// <summary>The body as the object that it has to be; changing it changes the answer, so that it can be sent back.</summary>
    public JsonObject Object => _object ??= Parsed() as JsonObject ?? Fail($"the body is no object: {Body}");

    public string Name => Text("metadata", "name");

    public string Version => Text("metadata", "resourceVersion");

    public string Uid => Text("metadata", "uid");

    public string Message => Text("message");

    public IReadOnlyList<JsonObject> Items => [.. (At("items") as JsonArray ?? []).OfType<JsonObject>()];

    public IReadOnlyList<string> Names => [.. Items.Select(item => item["metadata"]!["name"]!.GetValue<string>())];

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode,
        await response.Content.ReadAsStringAsync(),
        response.Content.Headers.ContentType?.MediaType,
        response.Headers.TryGetValues("Warning", out var values) ? [.. values] : [])
    {
        Headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
    };

    /// <summary>The node at a path of members and indexes, or null where the path ends early.</summary>
    public JsonNode? At(params IReadOnlyList<string> path) => Json.At(Object, path);

    /// <summary>The text at a path; fails where there is none.</summary>
    public string Text(params IReadOnlyList<string> path) =>
        At(path) is JsonValue value && value.TryGetValue<string>(out var text) ? text : Fail<string>($"no text at {string.Join('.', path)} in {Body}");

    /// <summary>Fails unless the answer has this code.</summary>
    public Answer Is(int code)
    {
        Assert.True(Code == code, $"expected {code}, got {Code}: {Body}");
        return this;
    }

    /// <summary>Fails unless the answer is a Status of this code and reason whose message has all of the words.</summary>
    public Answer Refuses(int code, string reason, params IReadOnlyList<string> words)
    {
        Is(code);
        Equal("Status", "kind");
        Equal("v1", "apiVersion");
        Equal("Failure", "status");
        Equal(code, "code");
        if (reason.Length > 0)
            Equal(reason, "reason");
        else
            Absent("reason");
        foreach (var word in words)
            Assert.True(Message.Contains(word, StringComparison.Ordinal), $"\"{word}\" is not in the message: {Message}");
        return this;
    }

    /// <summary>Fails unless the details have a cause of this reason about this field.</summary>
    public Answer Blames(string field, string reason)
    {
        var causes = (At("details", "causes") as JsonArray ?? []).OfType<JsonObject>();
        Assert.True(causes.Any(c => (string?)c["field"] == field && (string?)c["reason"] == reason),
            $"no cause {reason} of {field}: {Body}");
        return this;
    }

    /// <summary>Fails unless this value stands at the path.</summary>
    public Answer Equal(JsonNode? expected, params IReadOnlyList<string> path)
    {
        var actual = At(path);
        Assert.True(JsonNode.DeepEquals(expected, actual),
            $"at {string.Join('.', path)}: expected {expected?.ToJsonString() ?? "nothing"}, got {actual?.ToJsonString() ?? "nothing"} in {Body}");
        return this;
    }

    /// <summary>Fails where something stands at the path.</summary>
    public Answer Absent(params IReadOnlyList<string> path) => Equal(null, path);

    /// <summary>The items or causes of an answer belong to who asked; the body as it was parsed.</summary>
    private JsonNode? Parsed()
    {
        try
        {
            return JsonNode.Parse(Body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonObject Fail(string message) => Fail<JsonObject>(message);

    private static T Fail<T>(string message)
    {
        Assert.Fail(message);
        throw new InvalidOperationException(message);
    }
}
