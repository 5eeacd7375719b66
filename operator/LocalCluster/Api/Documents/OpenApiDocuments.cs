using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>
/// OpenAPI v3: an index and one document for each group and version, as far as kubectl reads them: schemas with their kinds for
/// <c>explain</c>, and PATCH operations with <c>fieldValidation</c>, by which <c>apply</c> knows that the server validates.
/// </summary>
internal sealed class OpenApiDocuments(KindCatalog catalog)
{
    private const string StrategicMergePatch = "application/strategic-merge-patch+json";

    private static readonly string[] PatchTypes =
        ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", StrategicMergePatch];

    private static readonly string[] PatchParameters = ["dryRun", "fieldManager", "fieldValidation", "force"];

    /// <summary>
    /// The content type and content of <c>/openapi/v2</c>: a document without definitions, in the binary form that kubectl asks for.
    /// kubectl looks there for kinds that version 3 does not have, and says what is wrong with them only if it finds a document.
    /// </summary>
    public const string Version2Type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    // Field 1, a string of three bytes: swagger "2.0".
    public static ReadOnlySpan<byte> Version2 => [0x0a, 0x03, (byte)'2', (byte)'.', (byte)'0'];

    private readonly Dictionary<string, byte[]> _made = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _revision;

    /// <summary>The document at a path below <c>/openapi/v3</c> as UTF-8 JSON, or null.</summary>
    public byte[]? Document(string path)
    {
        lock (_gate)
        {
            if (_revision != catalog.Revision)
            {
                _made.Clear();
                _revision = catalog.Revision;
            }
            if (_made.TryGetValue(path, out var made))
                return made;
            var document = Make(path.Trim('/').Split('/'));
            if (document is null)
                return null;
            return _made[path] = JsonSerializer.SerializeToUtf8Bytes(document);
        }
    }

    private JsonObject? Make(string[] parts) => parts switch
    {
        ["openapi", "v3"] => Index(),
        ["openapi", "v3", "api", var version] when catalog.ServesVersion("", version) => Version("", version),
        ["openapi", "v3", "apis", var group, var version] when catalog.ServesVersion(group, version) => Version(group, version),
        _ => null,
    };

    private JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var kind in catalog.All.DistinctBy(kind => kind.ApiVersion))
        {
            var path = (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;
            paths[path] = new JsonObject
            {
                ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={catalog.Revision.ToString("X16", CultureInfo.InvariantCulture)}",
            };
        }
        return new JsonObject { ["paths"] = paths };
    }

    private JsonObject Version(string group, string version)
    {
        var kinds = catalog.All.Where(kind => kind.Group == group && kind.Version == version).ToList();
        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var kind in kinds)
        {
            var schema = (JsonObject)kind.Schema.OpenApi.DeepClone();
            schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind));
            schemas[kind.Schema.Name] = schema;
            AddPaths(paths, kind);
        }
        foreach (var (name, definition) in catalog.BuiltInDefinitions)
        {
            if (!schemas.ContainsKey(name))
                schemas[name] = definition.DeepClone();
        }
        KeepReferenced(schemas, kinds.Select(kind => kind.Schema.Name));
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = ServerVersion.Text },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static void AddPaths(JsonObject paths, ResourceKind kind)
    {
        var scope = kind.Namespaced ? "namespaces/{namespace}/" : "";
        var root = $"{(kind.Group.Length == 0 ? "/api/" : "/apis/")}{kind.ApiVersion}/{scope}{kind.Plural}";
        paths[root] = new JsonObject
        {
            ["get"] = Operation(kind, "list", []),
            ["post"] = Operation(kind, "post", ["dryRun", "fieldManager", "fieldValidation"]),
        };
        if (kind.IsVirtual)
            return;
        var patch = Operation(kind, "patch", PatchParameters);
        patch["requestBody"] = new JsonObject
        {
            // By this list kubectl decides how it patches.
            ["content"] = new JsonObject(PatchTypes.Where(type => !kind.IsCustom || type != StrategicMergePatch).Select(
                type => KeyValuePair.Create(type, (JsonNode?)new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } }))),
        };
        paths[root + "/{name}"] = new JsonObject
        {
            ["get"] = Operation(kind, "get", []),
            ["put"] = Operation(kind, "put", ["dryRun", "fieldManager", "fieldValidation"]),
            ["patch"] = patch,
            ["delete"] = Operation(kind, "delete", ["dryRun", "gracePeriodSeconds", "propagationPolicy"]),
        };
    }

    private static JsonObject Operation(ResourceKind kind, string action, IEnumerable<string> parameters) => new()
    {
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = GroupVersionKind(kind),
        ["parameters"] = new JsonArray([.. parameters.Select(name => new JsonObject
        {
            ["name"] = name, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
        })]),
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "OK",
                ["content"] = new JsonObject
                {
                    ["application/json"] = new JsonObject
                    {
                        ["schema"] = new JsonObject { ["$ref"] = ModelSchemas.RefTo(kind.Schema.Name) },
                    },
                },
            },
        },
    };

    private static JsonObject GroupVersionKind(ResourceKind kind) =>
        new() { ["group"] = kind.Group, ["kind"] = kind.Kind, ["version"] = kind.Version };

    /// <summary>Leaves only what the kinds of this version lead to, so that a document is not the whole API each time.</summary>
    private static void KeepReferenced(JsonObject schemas, IEnumerable<string> roots)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(roots);
        while (open.TryPop(out var name))
        {
            if (!reached.Add(name) || schemas[name] is not { } schema)
                continue;
            var text = schema.ToJsonString();
            const string Marker = "\"$ref\":\"#/components/schemas/";
            foreach (var rest in text.Split(Marker).Skip(1))
                open.Push(rest[..rest.IndexOf('"', StringComparison.Ordinal)]);
        }
        foreach (var name in schemas.Select(pair => pair.Key).Where(name => !reached.Contains(name)).ToList())
            schemas.Remove(name);
    }
}
