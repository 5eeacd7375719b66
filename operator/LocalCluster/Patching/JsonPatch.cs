using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Patching;

/// <summary>JSON patch, RFC 6902, with the refusals of the API server.</summary>
internal static class JsonPatch
{
    private const int MaxOperations = 10_000;

    // Copies of copies double: the API server's limit of what a patch may add by copying.
    private const long MaxCopiedBytes = 3 * 1024 * 1024;

    /// <summary>The patched copy; the target is not changed.</summary>
    /// <param name="target">The document.</param>
    /// <param name="patch">The operations: add, remove, replace, move, copy, test.</param>
    /// <exception cref="PatchException">400 for a malformed patch, 413 for one that is too long, 422 for one that does not apply.</exception>
    public static JsonNode? Apply(JsonNode target, JsonNode? patch)
    {
        if (patch is not JsonArray operations)
        {
            throw PatchException.BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch");
        }
        if (operations.Count > MaxOperations)
        {
            throw new PatchException(413, string.Create(
                CultureInfo.InvariantCulture,
                $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}"));
        }
        JsonNode? document = target.DeepClone();
        var copied = 0L;
        foreach (var node in operations)
        {
            if (node is not JsonObject operation)
            {
                throw PatchException.BadRequest("error decoding patch: every operation must be an object");
            }
            document = ApplyOne(document, operation, ref copied);
        }
        return document;
    }

    private static JsonNode? ApplyOne(JsonNode? document, JsonObject operation, ref long copied)
    {
        var op = Text(operation, "op") ?? "unknown";
        var path = Text(operation, "path") ?? throw PatchException.Unprocessable($"{op} operation failed to decode path: missing value");
        switch (op)
        {
            case "add":
                return Add(document, path, Value(operation, op, path), op);
            case "remove":
                return Remove(document, path, op);
            case "replace":
                return Replace(document, path, Value(operation, op, path));
            case "test":
                return Test(document, path, operation["value"]);
            case "move":
            {
                var moved = Find(document, From(operation, op), op)?.DeepClone();
                return Add(Remove(document, From(operation, op), op), path, moved, op);
            }
            case "copy":
            {
                var found = Find(document, From(operation, op), op);
                copied += GoText.Json(found).Length;
                return copied > MaxCopiedBytes
                    ? throw PatchException.Unprocessable(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {MaxCopiedBytes}"))
                    : Add(document, path, found?.DeepClone(), op);
            }
            default:
                throw PatchException.Unprocessable($"Unexpected kind: {op}");
        }
    }

    private static JsonNode? Add(JsonNode? document, string path, JsonNode? value, string op)
    {
        var tokens = JsonPointer.Parse(path);
        if (tokens.Length == 0)
        {
            return value;
        }
        switch (Parent(document, tokens, path, op))
        {
            case JsonObject o:
                o[tokens[^1]] = value;
                break;
            case JsonArray a:
                var index = tokens[^1] == "-" ? a.Count : Index(tokens[^1], a.Count + 1, path, op);
                a.Insert(index, value);
                break;
        }
        return document;
    }

    private static JsonNode? Remove(JsonNode? document, string path, string op)
    {
        var tokens = JsonPointer.Parse(path);
        if (tokens.Length == 0)
        {
            return null;
        }
        switch (Parent(document, tokens, path, op))
        {
            case JsonObject o when !o.Remove(tokens[^1]):
                throw PatchException.Unprocessable(
                    $"error in {op} for path: '{path}': Unable to remove nonexistent key: {tokens[^1]}: missing value");
            case JsonArray a:
                a.RemoveAt(Index(tokens[^1], a.Count, path, op));
                break;
        }
        return document;
    }

    private static JsonNode? Replace(JsonNode? document, string path, JsonNode? value)
    {
        var tokens = JsonPointer.Parse(path);
        if (tokens.Length == 0)
        {
            return value;
        }
        switch (Parent(document, tokens, path, "replace"))
        {
            case JsonObject o when !o.ContainsKey(tokens[^1]):
                throw PatchException.Unprocessable($"replace operation does not apply: doc is missing key: {path}: missing value");
            case JsonObject o:
                o[tokens[^1]] = value;
                break;
            case JsonArray a:
                a[Index(tokens[^1], a.Count, path, "replace")] = value;
                break;
        }
        return document;
    }

    private static JsonNode? Test(JsonNode? document, string path, JsonNode? value)
    {
        var tokens = JsonPointer.Parse(path);
        var found = document;
        if (tokens.Length > 0)
        {
            // An absent member equals null, because a patch cannot say "absent" otherwise.
            found = Parent(document, tokens, path, "test") switch
            {
                JsonObject o => o.TryGetPropertyValue(tokens[^1], out var member) ? member : null,
                JsonArray a => a[Index(tokens[^1], a.Count, path, "test")],
                _ => null,
            };
        }
        return JsonEquality.Same(found, value) ? document : throw PatchException.Unprocessable($"testing value {path} failed: test failed");
    }

    private static JsonNode? Find(JsonNode? document, string path, string op)
    {
        var tokens = JsonPointer.Parse(path);
        if (tokens.Length == 0)
        {
            return document;
        }
        return Parent(document, tokens, path, op) switch
        {
            JsonObject o when o.TryGetPropertyValue(tokens[^1], out var member) => member,
            JsonArray a => a[Index(tokens[^1], a.Count, path, op)],
            _ => throw Missing(op, path),
        };
    }

    /// <summary>The object or list that holds the last token.</summary>
    private static JsonNode Parent(JsonNode? document, string[] tokens, string path, string op)
    {
        var node = document;
        foreach (var token in tokens.AsSpan(0, tokens.Length - 1))
        {
            node = node switch
            {
                JsonObject o when o.TryGetPropertyValue(token, out var member) => member,
                JsonArray a => a[Index(token, a.Count, path, op)],
                _ => throw Missing(op, path),
            };
        }
        return node is JsonObject or JsonArray ? node : throw Missing(op, path);
    }

    private static PatchException Missing(string op, string path) => PatchException.Unprocessable(
        $"{op} operation does not apply: doc is missing {(op is "move" or "copy" ? "from path" : "path")}: {path}: missing value");

    /// <summary>An index in [0, count), or a negative one that counts from the end.</summary>
    private static int Index(string token, int count, string path, string op)
    {
        if (!int.TryParse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            throw PatchException.Unprocessable($"error in {op} for path: '{path}': strconv.Atoi: parsing \"{token}\": invalid syntax");
        }
        var position = index < 0 ? index + count : index;
        return position >= 0 && position < count ? position : throw PatchException.Unprocessable(string.Create(
            CultureInfo.InvariantCulture,
            $"error in {op} for path: '{path}': Unable to access invalid index: {index}: invalid index referenced"));
    }

    private static JsonNode? Value(JsonObject operation, string op, string path) => operation.TryGetPropertyValue("value", out var value)
        ? value?.DeepClone()
        : throw PatchException.Unprocessable($"{op} operation for path '{path}' has no value: missing value");

    private static string From(JsonObject operation, string op) =>
        Text(operation, "from") ?? throw PatchException.Unprocessable($"{op} operation failed to decode from: missing value");

    private static string? Text(JsonObject operation, string name) =>
        operation[name] is { } node && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
