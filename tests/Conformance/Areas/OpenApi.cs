using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class OpenApi
{
    private const string Apps = "/openapi/v3/apis/apps/v1";
    private const string ApplyType = "application/apply-patch+yaml";
    private const string StrategicType = "application/strategic-merge-patch+json";

    public static Area Area => new("OpenAPI", [.. Documents, .. Schemas, .. Custom]);

    private static IEnumerable<Case> Documents =>
    [
        new("/openapi/v3 names a document for each version of each group, at an address with a hash of it", Sources.OpenApi, async s =>
        {
            var paths = (JsonObject)(await s.GetAsync("/openapi/v3")).Is(200).At("paths")!;
            foreach (var path in (string[])["api/v1", "apis/apps/v1", "apis/batch/v1", $"apis/{s.Server.Widgets.ApiVersion}"])
            {
                Assert.Matches($"^/openapi/v3/{path.Replace(".", @"\.", StringComparison.Ordinal)}\\?hash=[0-9A-F]{{128}}$",
                    (string?)paths[path]?["serverRelativeURL"]);
            }
        }),
        new("A document at an address with its hash may be kept for good", Sources.OpenApi, async s =>
        {
            var answer = (await s.GetAsync(await AddressAsync(s, "apis/batch/v1"))).Is(200).Equal("3.0.0", "openapi");
            Assert.Contains("immutable", answer.Headers["Cache-Control"], StringComparison.Ordinal);
            Assert.True(answer.Headers.ContainsKey("Expires"));
        }),
        new("A document has its hash for a tag; who has it is answered with 304", Sources.OpenApiHandler, async s =>
        {
            var address = await AddressAsync(s, "apis/batch/v1");
            var tag = (await s.GetAsync(address)).Is(200).Headers["ETag"];
            Assert.Equal($"\"{address.Split("hash=")[1]}\"", tag);
            (await s.GetUnlessAsync(address, tag)).Is(304);
        }),
        new("A document can be had without the hash too", Sources.OpenApi, async s => (await s.GetAsync(Apps)).Is(200).Equal("3.0.0", "openapi")),
        new("A document in a form that there is not is not acceptable", Sources.OpenApiHandler, async s =>
            (await s.GetAsync(Apps, "text/html")).Is(406)),
        new("Whatever a document refers to is in it", Sources.OpenApi, async s =>
        {
            var document = (await s.GetAsync(Apps)).Is(200);
            var schemas = (JsonObject)document.At("components", "schemas")!;
            var missing = References(document.Object).Where(name => !schemas.ContainsKey(name)).Distinct().ToList();
            Assert.True(missing.Count == 0, string.Join(", ", missing));
        }),
        new("Operations say what they do, to which kind", Sources.OpenApi, async s =>
        {
            var paths = (await s.GetAsync(Apps)).Is(200).At("paths")!;
            var collection = paths["/apis/apps/v1/namespaces/{namespace}/deployments"]!;
            var item = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!;
            Assert.Equal(["list", "post", "deletecollection", "get", "put", "patch", "delete"], new[]
            {
                collection["get"], collection["post"], collection["delete"], item["get"], item["put"], item["patch"], item["delete"],
            }.Select(operation => (string?)operation!["x-kubernetes-action"]));
            var kind = item["patch"]!["x-kubernetes-group-version-kind"]!;
            Assert.Equal(("apps", "v1", "Deployment"), ((string?)kind["group"], (string?)kind["version"], (string?)kind["kind"]));
        }),
        new("Writes take fieldValidation, by which clients know that the server validates", Sources.FieldValidation, async s =>
        {
            var paths = (await s.GetAsync(Apps)).Is(200).At("paths")!;
            var item = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!;
            var post = paths["/apis/apps/v1/namespaces/{namespace}/deployments"]!["post"]!;
            foreach (var operation in new[] { item["patch"]!, item["put"]!, post })
            {
                Assert.Contains(operation["parameters"]!.AsArray(),
                    parameter => (string?)parameter!["name"] == "fieldValidation" && (string?)parameter["in"] == "query");
            }
        }),
        new("A built-in kind takes strategic merge patches and applies", Sources.OpenApi, async s =>
        {
            var types = PatchTypes(await s.GetAsync(Apps), "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
            Assert.Contains(StrategicType, types);
            Assert.Contains(ApplyType, types);
        }),
        new("OpenAPI v2 describes the kinds too", Sources.OpenApi2, async s =>
            Assert.True((await s.GetAsync("/openapi/v2")).Is(200).At("definitions", "io.k8s.api.apps.v1.Deployment") is JsonObject))
        {
            Lacks = "a document of version 2 without definitions, in the binary form alone: kubectl 1.29 and later and helm read version 3",
        },
    ];

    private static IEnumerable<Case> Schemas =>
    [
        new("The schema of a kind names group, version and kind", Sources.OpenApi, async s =>
        {
            var deployment = Schema(await s.GetAsync(Apps), "apps", "v1", "Deployment");
            Assert.Equal("object", (string?)deployment["type"]);
            Assert.All((string[])["apiVersion", "kind", "metadata", "spec", "status"], name => Assert.NotNull(deployment["properties"]![name]));
        }),
        new("A list of a built-in kind says how it is merged", Sources.MergeStrategy, async s =>
        {
            var document = (await s.GetAsync(Apps)).Is(200);
            var pod = ((JsonObject)document.At("components", "schemas")!)
                .Single(schema => schema.Key.EndsWith(".PodSpec", StringComparison.Ordinal)).Value!;
            var containers = pod["properties"]!["containers"]!;
            Assert.Equal(("map", "name", "name", "merge"), ((string?)containers["x-kubernetes-list-type"],
                (string?)containers["x-kubernetes-list-map-keys"]![0], (string?)containers["x-kubernetes-patch-merge-key"],
                (string?)containers["x-kubernetes-patch-strategy"]));
        }),
        new("A field of a built-in kind is described", Sources.OpenApi, async s => Assert.NotEmpty(
            (string?)Schema(await s.GetAsync(Apps), "apps", "v1", "Deployment")["properties"]!["spec"]!["description"] ?? ""))
        {
            Lacks = "names and types of the fields of built-in kinds, without descriptions; those of custom kinds are there",
        },
        new("A kind names the fields that it requires", Sources.OpenApi, async s =>
        {
            var schemas = (JsonObject)(await s.GetAsync(Apps)).Is(200).At("components", "schemas")!;
            var spec = schemas.Single(schema => schema.Key.EndsWith(".DeploymentSpec", StringComparison.Ordinal)).Value!;
            Assert.Equal(["selector", "template"], (spec["required"] as JsonArray ?? []).Select(name => (string?)name));
        })
        {
            Lacks = "required fields of built-in kinds are refused when they are missing, but not all of them are in the document",
        },
    ];

    private static IEnumerable<Case> Custom =>
    [
        new("A custom kind's schema is named after its reversed group", Sources.CustomOpenApi, async s =>
        {
            var name = string.Join('.', s.Server.Widgets.Group.Split('.').Reverse()) + ".v1.Widget";
            Assert.NotNull((await WidgetsAsync(s)).At("components", "schemas", name));
        }),
        new("A custom kind's schema has types, enums, defaults and kinds of lists", Sources.CustomOpenApi, async s =>
        {
            var spec = Schema(await WidgetsAsync(s), s.Server.Widgets.Group, "v1", "Widget")["properties"]!["spec"]!["properties"]!;
            Assert.Equal("Slow", (string?)spec["mode"]!["default"]);
            Assert.Equal(["Slow", "Fast"], spec["mode"]!["enum"]!.AsArray().Select(value => (string?)value));
            Assert.Equal("set", (string?)spec["tags"]!["x-kubernetes-list-type"]);
            Assert.Equal("name", (string?)spec["ports"]!["x-kubernetes-list-map-keys"]![0]);
            Assert.Equal("atomic", (string?)spec["box"]!["x-kubernetes-map-type"]);
            Assert.Equal(0, (int)spec["replicas"]!["minimum"]!);
        }),
        new("A custom kind's schema has apiVersion, kind and metadata, which its definition does not name", Sources.CustomOpenApi, async s =>
        {
            var widget = Schema(await WidgetsAsync(s), s.Server.Widgets.Group, "v1", "Widget")["properties"]!;
            Assert.Equal(("string", "string"), ((string?)widget["apiVersion"]!["type"], (string?)widget["kind"]!["type"]));
            Assert.Contains("ObjectMeta", widget["metadata"]!.ToJsonString(), StringComparison.Ordinal);
        }),
        new("A custom kind takes no strategic merge patches", Sources.CustomOpenApi, async s =>
        {
            var types = PatchTypes(await WidgetsAsync(s), $"/apis/{s.Server.Widgets.ApiVersion}/namespaces/{{namespace}}/widgets/{{name}}");
            Assert.DoesNotContain(StrategicType, types);
            Assert.Contains(ApplyType, types);
        }),
        new("Descriptions and rules of a definition are published, and go with it", Sources.CustomOpenApi, async s =>
        {
            var group = $"{s.Name}.graft.dev";
            var path = $"apis/{group}/v1";
            (await s.PostAsync(Widgets.Definitions, Described(group))).Is(201);
            await s.UntilAsync("the version is published", async () => await FindAddressAsync(s, path) is not null);
            var size = Schema(await s.GetAsync($"/openapi/v3/{path}"), group, "v1", "Crate")["properties"]!["spec"]!["properties"]!["size"]!;
            Assert.Equal("How large it is.", (string?)size["description"]);
            Assert.Equal("self > 1", (string?)size["x-kubernetes-validations"]![0]!["rule"]);

            await s.DeleteAsync($"{Widgets.Definitions}/crates.{group}");

            await s.UntilAsync("the version is gone", async () => await FindAddressAsync(s, path) is null);
        }),
    ];

    private static JsonObject Described(string group) => Json.Object($$"""
        {
          "apiVersion": "apiextensions.k8s.io/v1",
          "kind": "CustomResourceDefinition",
          "metadata": {"name": "crates.{{group}}"},
          "spec": {
            "group": "{{group}}", "scope": "Namespaced", "names": {"plural": "crates", "kind": "Crate"},
            "versions": [{
              "name": "v1",
              "served": true,
              "storage": true,
              "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "size": {"type": "integer", "description": "How large it is.", "x-kubernetes-validations": [{"rule": "self > 1"}]}
              } } } } }
            }]
          }
        }
        """);

    private static async Task<Answer> WidgetsAsync(Space s)
    {
        var path = $"apis/{s.Server.Widgets.ApiVersion}";
        await s.UntilAsync("the widgets are published", async () => await FindAddressAsync(s, path) is not null);
        return (await s.GetAsync($"/openapi/v3/{path}")).Is(200);
    }

    private static async Task<string> AddressAsync(Space s, string path) =>
        await FindAddressAsync(s, path) ?? throw new InvalidOperationException($"there is no {path}");

    private static async Task<string?> FindAddressAsync(Space s, string path) =>
        (string?)(await s.GetAsync("/openapi/v3")).Is(200).At("paths", path, "serverRelativeURL");

    private static JsonObject Schema(Answer document, string group, string version, string kind) =>
        ((JsonObject)document.Is(200).At("components", "schemas")!).Select(schema => schema.Value!.AsObject()).Single(schema =>
            (schema["x-kubernetes-group-version-kind"] as JsonArray)?.Any(named => (string?)named!["group"] == group
                && (string?)named["version"] == version && (string?)named["kind"] == kind) == true);

    private static IEnumerable<string> PatchTypes(Answer document, string path) =>
        ((JsonObject)document.Is(200).At("paths", path, "patch", "requestBody", "content")!).Select(content => content.Key);

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject obj => obj.SelectMany(pair => pair.Key == "$ref" && pair.Value is JsonValue value
            ? [value.GetValue<string>()["#/components/schemas/".Length..]]
            : References(pair.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
