using System.Globalization;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>
/// OpenAPI v3: an index and one document for each group and version, as far as kubectl reads them: schemas with their kinds for
/// <c>explain</c>, and PATCH operations with <c>fieldValidation</c>, by which <c>apply</c> knows that the server validates.
/// </summary>
internal sealed class OpenApiDocuments(KindCatalog catalog, TimeProvider time)
{
    private const string StrategicMergePatch = "application/strategic-merge-patch+json";

    private static readonly string[] PatchTypes =
        ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", StrategicMergePatch];

    private static readonly string[] ListParameters =
    [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch",
        "sendInitialEvents", "timeoutSeconds", "watch",
    ];

    private static readonly string[] PatchParameters = ["dryRun", "fieldManager", "fieldValidation", "force"];

    /// <summary>
    /// The content type and content of <c>/openapi/v2</c>: a document without definitions, in the binary form that kubectl asks for.
    /// kubectl looks there for kinds that version 3 does not have, and says what is wrong with them only if it finds a document.
    /// </summary>
    public const string Version2Type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    // Field 1, a string of three bytes: swagger "2.0".
    public static ReadOnlySpan<byte> Version2 => [0x0a, 0x03, (byte)'2', (byte)'.', (byte)'0'];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (IReadOnlyList<ResourceKind> Kinds, MadeDocument Document)> _versions = new(StringComparer.Ordinal);

    /// <summary>Answers a path at or below <c>/openapi/v3</c>; null if there is nothing.</summary>
    /// <exception cref="ApiException">406: JSON is not acceptable.</exception>
    public Task? Answer(HttpContext http, string path)
    {
        var parts = path.Trim('/').Split('/');
        if (parts is ["openapi", "v3"])
            return MadeDocument.Of(Index()).SendAsync(http);
        if (parts is not (["openapi", "v3", "api", _] or ["openapi", "v3", "apis", _, _]))
            return null;
        var (group, version) = parts.Length == 4 ? ("", parts[3]) : (parts[3], parts[4]);
        if (!catalog.ServesVersion(group, version))
            return null;
        CheckAccept(http.Request);
        var document = Version(group, version);
        if (http.Request.Query["hash"].ToString() is { Length: > 0 } hash)
        {
            if (hash != document.Hash)
            {
                http.Response.Redirect(Address(group, version, document), permanent: true);
                return Task.CompletedTask;
            }
            // The content at an address with a hash never changes.
            http.Response.Headers.CacheControl = "public, immutable";
            http.Response.Headers.Expires = time.GetUtcNow().AddYears(1).ToString("R", CultureInfo.InvariantCulture);
        }
        return document.SendAsync(http);
    }

    private static void CheckAccept(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length > 0 && !accept.Contains("application/json", StringComparison.Ordinal) && !accept.Contains("*/*", StringComparison.Ordinal))
            throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json");
    }

    private static string Address(string group, string version, MadeDocument document) => $"/openapi/v3/{PathOf(group, version)}?hash={document.Hash}";

    private static string PathOf(string group, string version) => group.Length == 0 ? $"api/{version}" : $"apis/{group}/{version}";

    private JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var kind in catalog.All.DistinctBy(kind => kind.ApiVersion))
        {
            paths[PathOf(kind.Group, kind.Version)] = new JsonObject
            {
                ["serverRelativeURL"] = Address(kind.Group, kind.Version, Version(kind.Group, kind.Version)),
            };
        }
        return new JsonObject { ["paths"] = paths };
    }

    /// <summary>The document of one version, made anew only when its kinds change.</summary>
    private MadeDocument Version(string group, string version)
    {
        var kinds = catalog.All.Where(kind => kind.Group == group && kind.Version == version).ToList();
        var path = PathOf(group, version);
        lock (_gate)
        {
            if (_versions.TryGetValue(path, out var made) && made.Kinds.SequenceEqual(kinds, ReferenceEqualityComparer.Instance))
                return made.Document;
            var document = MadeDocument.Of(Describe(kinds));
            _versions[path] = (kinds, document);
            return document;
        }
    }

    private JsonObject Describe(IReadOnlyList<ResourceKind> kinds)
    {
        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var kind in kinds)
        {
            var schema = (JsonObject)kind.Schema.OpenApi.DeepClone();
            schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind));
            schemas[kind.Schema.Name] = schema;
            AddPaths(paths, kind);
        }
        AddReferenced(schemas);
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
        var version = (kind.Group.Length == 0 ? "/api/" : "/apis/") + kind.ApiVersion;
        var root = $"{version}/{(kind.Namespaced ? "namespaces/{namespace}/" : "")}{kind.Plural}";
        if (kind.IsVirtual)
        {
            paths[root] = new JsonObject { ["post"] = Operation(kind, "post", ["dryRun", "fieldManager", "fieldValidation"]) };
            return;
        }
        if (kind.Namespaced)
            paths[$"{version}/{kind.Plural}"] = new JsonObject { ["get"] = Operation(kind, "list", ListParameters) };
        var collection = new JsonObject { ["get"] = Operation(kind, "list", ListParameters) };
        var item = new JsonObject { ["get"] = Operation(kind, "get", []) };
        paths[root] = collection;
        paths[root + "/{name}"] = item;
        if (kind.Instead is not null)
            return;
        collection["post"] = Operation(kind, "post", ["dryRun", "fieldManager", "fieldValidation"]);
        if (kind.DeletesCollections)
            collection["delete"] = Operation(kind, "deletecollection", [.. ListParameters, "dryRun", "gracePeriodSeconds", "propagationPolicy"]);
        item["put"] = Operation(kind, "put", ["dryRun", "fieldManager", "fieldValidation"]);
        item["patch"] = Patch(kind);
        item["delete"] = Operation(kind, "delete", ["dryRun", "gracePeriodSeconds", "propagationPolicy"]);
        if (kind.HasStatus)
        {
            paths[root + "/{name}/status"] = new JsonObject
            {
                ["get"] = Operation(kind, "get", []),
                ["put"] = Operation(kind, "put", ["dryRun", "fieldManager", "fieldValidation"]),
                ["patch"] = Patch(kind),
            };
        }
    }

    private static JsonObject Patch(ResourceKind kind)
    {
        var patch = Operation(kind, "patch", PatchParameters);
        patch["requestBody"] = new JsonObject
        {
            // By this list kubectl decides how it patches.
            ["content"] = new JsonObject(PatchTypes.Where(type => !kind.IsCustom || type != StrategicMergePatch).Select(
                type => KeyValuePair.Create(type, (JsonNode?)new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } }))),
        };
        return patch;
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

    /// <summary>Adds the definitions that these lead to, and no others, so that a document is not the whole API each time.</summary>
    private void AddReferenced(JsonObject schemas)
    {
        var definitions = catalog.BuiltInDefinitions.ToDictionary(StringComparer.Ordinal);
        var open = new Stack<string>(schemas.SelectMany(pair => References(pair.Value)));
        while (open.TryPop(out var name))
        {
            if (schemas.ContainsKey(name) || !definitions.TryGetValue(name, out var definition))
                continue;
            schemas[name] = definition.DeepClone();
            foreach (var next in References(definition))
                open.Push(next);
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject obj => obj.SelectMany(pair => pair.Key == "$ref" && pair.Value is JsonValue value
            ? [value.GetValue<string>()[ModelSchemas.RefTo("").Length..]]
            : References(pair.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
