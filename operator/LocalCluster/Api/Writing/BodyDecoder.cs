using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>Turns request bodies into objects of a kind, with the strictness that the client asked for.</summary>
internal static class BodyDecoder
{
    private const int MaxBytes = 3 * 1024 * 1024;
    private const string StrictFault = "strict decoding error: ";

    /// <summary>A body that is one JSON or YAML object; paths of members that stand twice are added to <paramref name="faults"/>.</summary>
    public static async Task<JsonNode> ReadAsync(HttpRequest request, List<string> faults)
    {
        var bytes = await ReadBytesAsync(request);
        var isYaml = request.ContentType?.Contains("yaml", StringComparison.OrdinalIgnoreCase) == true
            && bytes.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{', ..];
        try
        {
            var node = isYaml ? ParseYaml(bytes, faults) : ParseJson(bytes, faults);
            return node ?? throw ApiException.BadRequest("the body of the request is empty");
        }
        catch (JsonSyntaxException e)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized (must be of type Status or an object): {e.Message}");
        }
    }

    public static async Task<byte[]> ReadBytesAsync(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, request.HttpContext.RequestAborted)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > MaxBytes)
                throw new ApiException(413, "RequestEntityTooLarge", $"Request entity too large: limit is {MaxBytes}");
        }
        return buffer.ToArray();
    }

    /// <summary>The object of that kind that a node holds: identified, without unknown fields and nulls.</summary>
    /// <param name="faults">Duplicate members found while parsing.</param>
    public static JsonObject ToObject(JsonNode node, ResourceKind kind, WriteOptions options, IReadOnlyList<string> faults)
    {
        if (node is not JsonObject obj)
            throw ApiException.BadRequest("the body of the request is not an object");
        Identify(obj, kind);
        CheckUnknown(obj, kind, options, faults);
        DropNulls(obj, kind);
        CheckTypes(obj, kind);
        return obj;
    }

    /// <summary>As <see cref="ToObject"/>, for what a patch made: a strict fault is one of the patch.</summary>
    public static JsonObject ToPatched(JsonObject node, ResourceKind kind, WriteOptions options, IReadOnlyList<string> faults)
    {
        var whole = node.ToJsonString();
        var found = Faults(node, kind, faults);
        if (found.Count > 0 && options.Validation == FieldValidation.Strict)
        {
            var error = FieldError.Invalid("patch", whole, StrictFault + string.Join(", ", found));
            throw new ApiException(422, "Invalid", $" \"\" is invalid: {error}")
            {
                Details = new() { ["causes"] = ApiException.Causes([(error.Reason, error.Body, error.FieldText)]) },
            };
        }
        if (options.Validation == FieldValidation.Warn)
            options.Warnings.AddRange(found);
        return ToObject(node, kind, options, []);
    }

    /// <summary>An applied configuration: fields that the schema does not declare have no owner, whatever the strictness.</summary>
    public static JsonObject ToApplied(JsonNode node, ResourceKind kind, WriteOptions options, IReadOnlyList<string> faults)
    {
        if (node is JsonObject obj && Pruning.Apply((JsonObject)obj.DeepClone(), kind.Schema.Type) is { Count: > 0 } unknown)
        {
            var group = kind.Group.Length == 0 ? $"/{kind.Version}" : kind.ApiVersion;
            throw new ApiException(500, "",
                $"failed to create typed patch object ({obj.Namespace()}/{obj.Name()}; {group}, Kind={kind.Kind}): " +
                string.Join("\n", unknown.Select(path => $".{path}: field not declared in schema")));
        }
        return ToObject(node, kind, options, faults);
    }

    private static List<string> Faults(JsonObject obj, ResourceKind kind, IReadOnlyList<string> duplicates) =>
    [
        .. duplicates,
        .. Pruning.Apply(obj, kind.Schema.Type).Select(path => $"unknown field \"{path}\""),
    ];

    /// <summary>Refuses, reports or ignores members that the kind does not have; they are removed in any case.</summary>
    public static void CheckUnknown(JsonObject obj, ResourceKind kind, WriteOptions options, IReadOnlyList<string> duplicates)
    {
        var faults = Faults(obj, kind, duplicates);
        if (faults.Count == 0)
            return;
        if (options.Validation == FieldValidation.Strict)
            throw Unusable(kind, StrictFault + string.Join(", ", faults));
        if (options.Validation == FieldValidation.Warn)
            options.Warnings.AddRange(faults);
    }

    /// <summary>Built-in kinds are decoded into typed structs: a value of another type is refused before anything else looks at
    /// it.</summary>
    public static void CheckTypes(JsonObject obj, ResourceKind kind)
    {
        if (kind.IsCustom)
            return;
        var errors = SchemaValidator.Validate(obj, null, kind.Schema.Type)
            .Where(error => error.Type == FieldErrorType.TypeInvalid).ToList();
        if (errors.Count > 0)
            throw Unusable(kind, FieldError.Summary(errors));
    }

    private static ApiException Unusable(ResourceKind kind, string why) =>
        ApiException.BadRequest($"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: {why}");

    private static void Identify(JsonObject obj, ResourceKind kind)
    {
        var (apiVersion, name) = (obj["apiVersion"].AsString() ?? kind.ApiVersion, obj["kind"].AsString() ?? kind.Kind);
        if (apiVersion != kind.ApiVersion)
            throw ApiException.BadRequest(
                $"the API version in the data ({apiVersion}) does not match the expected API version ({kind.ApiVersion})");
        if (name != kind.Kind)
            throw ApiException.BadRequest(
                $"{name} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: no kind \"{name}\" is expected here");
        obj["apiVersion"] = kind.ApiVersion;
        obj["kind"] = kind.Kind;
        if (obj["metadata"] is not (null or JsonObject))
            throw ApiException.BadRequest("metadata is not an object");
    }

    /// <summary>
    /// Null means absent in metadata and everywhere in built-in kinds. In custom kinds the schema says where it may stand, which
    /// defaulting and validation look at.
    /// </summary>
    private static void DropNulls(JsonObject obj, ResourceKind kind)
    {
        foreach (var (name, value) in obj.ToList())
        {
            if (name == "metadata" || !kind.IsCustom)
                Drop(obj, name, value, kind.IsCustom ? null : kind.Schema.Type.Member(name));
        }
    }

    private static void Drop(JsonObject parent, string name, JsonNode? value, TypeSchema? schema)
    {
        // An empty map of a built-in kind is one that is not there, once it was stored.
        if (value is null || (value is JsonObject { Count: 0 } && schema is { AdditionalProperties: not null, Properties.Count: 0 }))
            parent.Remove(name);
        else if (schema?.PreserveUnknownFields != true)
            DropInside(value, schema);
    }

    private static void DropInside(JsonNode value, TypeSchema? schema)
    {
        if (value is JsonObject obj)
        {
            foreach (var (name, member) in obj.ToList())
                Drop(obj, name, member, schema?.Member(name));
        }
        foreach (var item in (value as JsonArray)?.OfType<JsonNode>() ?? [])
            DropInside(item, schema?.Items);
    }

    private static JsonNode? ParseJson(byte[] bytes, List<string> faults)
    {
        var node = StrictJson.Parse(bytes, out var duplicates);
        faults.AddRange(duplicates.Select(path => $"duplicate field \"{path}\""));
        return node;
    }

    private static JsonNode? ParseYaml(byte[] bytes, List<string> faults)
    {
        var duplicates = new List<string>();
        var node = YamlBody.Parse(bytes, duplicates);
        if (duplicates.Count > 0)
            faults.Add("yaml: unmarshal errors:\n" + string.Join('\n', duplicates));
        return node;
    }
}
