using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Tables
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    private const string One = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    private const string Many = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

    public static Area Area => new("Tables and other representations",
    [
        new("A list can be had as a table with a row for each object", Sources.Tables, async s =>
        {
            await s.SecretsAsync("a", "b");

            var table = (await s.GetAsync(s.Secrets, Table)).Is(200).Equal("Table", "kind").Equal("meta.k8s.io/v1", "apiVersion");

            Assert.Equal(["a", "b"], Rows(table).Select(row => (string?)row["cells"]![0]));
        }),
        new("A table carries the list's resourceVersion", Sources.Tables, async s =>
            Assert.NotEmpty((await s.GetAsync(s.Secrets, Table)).Is(200).Version)),
        new("The columns of Secrets are Name, Type, Data and Age", Sources.Tables, async s =>
            Assert.Equal(["Name", "Type", "Data", "Age"], Columns((await s.GetAsync(s.Secrets, Table)).Is(200)))),
        new("The columns of Deployments begin with Name, Ready, Up-to-date, Available and Age", Sources.Tables, async s =>
            Assert.Equal(["Name", "Ready", "Up-to-date", "Available", "Age"], Columns((await s.GetAsync(s.Deployments, Table))
                .Is(200)).Take(5))),
        new("Every column has a name, a type, a format, a description and a priority", Sources.Tables, async s =>
        {
            foreach (var column in (await s.GetAsync(s.Deployments, Table)).Is(200).At("columnDefinitions")!.AsArray())
                Assert.All((string[])["name", "type", "format", "description", "priority"], member => Assert.NotNull(column![member]));
        }),
        new("A custom kind has its name and the columns of its definition", Sources.CustomColumns, async s =>
        {
            await s.WidgetAsync("a", """{"mode": "Fast"}""");

            var table = (await s.GetAsync(s.Widgets, Table)).Is(200);

            Assert.Equal(["Name", "Mode"], Columns(table));
            Assert.Equal("Fast", (string?)Rows(table)[0]["cells"]![1]);
        }),
        new("One object can be had as a table of one row", Sources.Tables, async s =>
        {
            await s.SecretsAsync("a");

            Assert.Equal("a", (string?)Assert.Single(Rows((await s.GetAsync(s.Secret("a"), Table)).Is(200)
                .Equal("Table", "kind")))["cells"]![0]);
        }),
        new("Rows carry the metadata of their objects", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            var inside = Assert.Single(Rows((await s.GetAsync(s.Secrets, Table)).Is(200)))["object"]!;

            Assert.Equal("PartialObjectMetadata", (string?)inside["kind"]);
            Assert.Equal("a", (string?)inside["metadata"]!["name"]);
            Assert.Null(inside["type"]);
        }),
        new("Rows carry whole objects with includeObject=Object", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            var inside = Assert.Single(Rows((await s.GetAsync($"{s.Secrets}?includeObject=Object", Table)).Is(200)))["object"]!;

            Assert.Equal("Secret", (string?)inside["kind"]);
            Assert.Equal("Opaque", (string?)inside["type"]);
        }),
        new("Rows carry no objects with includeObject=None", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            Assert.Null(Assert.Single(Rows((await s.GetAsync($"{s.Secrets}?includeObject=None", Table)).Is(200)))["object"]);
        }),
        Case.Refused("Another includeObject is refused", Sources.ResponseHandler,
            s => s.GetAsync($"{s.Secrets}?includeObject=Half", Table), 400, "BadRequest", "includeObject"),
        new("A table can be asked for in version v1beta1", Sources.Tables, async s =>
            (await s.GetAsync(s.Secrets, "application/json;as=Table;v=v1beta1;g=meta.k8s.io")).Is(200)
                .Equal("meta.k8s.io/v1beta1", "apiVersion")),
        new("The first acceptable representation is served", Sources.Tables, async s =>
            (await s.GetAsync(s.Secrets, Table + ", application/json")).Is(200).Equal("Table", "kind")),
        new("Without an Accept header the answer is JSON", Sources.Representations, async s =>
            Assert.Equal("application/json", (await s.GetAsync(s.Secrets, null)).Is(200).Equal("SecretList", "kind").ContentType)),
        new("One object can be had as its metadata alone", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            (await s.GetAsync(s.Secret("a"), One)).Is(200).Equal("PartialObjectMetadata", "kind").Equal("meta.k8s.io/v1", "apiVersion")
                .Equal("a", "metadata", "name").Absent("type");
        }),
        new("A list can be had as metadata alone", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            var list = (await s.GetAsync(s.Secrets, Many)).Is(200).Equal("PartialObjectMetadataList", "kind")
                .Equal("meta.k8s.io/v1", "apiVersion");

            Assert.Equal(["a"], list.Names);
            list.Absent("items", "0", "type");
        }),
        Case.Refused("A list cannot be had as the metadata of one object", Sources.ResponseHandler,
            s => s.GetAsync(s.Secrets, One), 406, "NotAcceptable", "but the requested object is a list"),
        new("One object cannot be had as a list of metadata", Sources.ResponseHandler, async s =>
        {
            await s.SecretsAsync("a");

            (await s.GetAsync(s.Secret("a"), Many)).Refuses(406, "NotAcceptable", "but the requested object is not a list");
        }),
        new("A media type that is not served is refused with 406", Sources.Negotiation, async s =>
            (await s.GetAsync(s.Secrets, "text/html")).Is(406)),
        new("Objects can be had as YAML", Sources.Representations, async s =>
        {
            await s.SecretsAsync("a");

            var answer = (await s.GetAsync(s.Secret("a"), "application/yaml")).Is(200);

            Assert.Equal("application/yaml", answer.ContentType);
            Assert.Contains("kind: Secret\n", answer.Body, StringComparison.Ordinal);
        }),
        new("Refusals come as YAML too", Sources.Representations, async s =>
        {
            var answer = (await s.GetAsync(s.Secret("a"), "application/yaml")).Is(404);

            Assert.Equal("application/yaml", answer.ContentType);
            Assert.Contains("reason: NotFound\n", answer.Body, StringComparison.Ordinal);
        }),
        new("What is had as YAML can be sent as YAML", Sources.Representations, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a", ("k", "a: b\n- \u00e4 \"x\"\n"), ("n", "1"), ("t", "true")))).Is(201);
            var yaml = (await s.GetAsync(s.ConfigMap("a"), "application/yaml")).Is(200).Body;

            (await s.SendAsync(HttpMethod.Put, s.ConfigMap("a"), yaml, "application/yaml")).Is(200)
                .Equal("a: b\n- \u00e4 \"x\"\n", "data", "k").Equal("1", "data", "n").Equal("true", "data", "t");
        }),
        new("There is no watch in YAML", Sources.Negotiation, async s =>
            (await s.GetAsync($"{s.Secrets}?watch=true&timeoutSeconds=1", "application/yaml")).Is(406)),
        new("Built-in objects can be had as protobuf", Sources.Representations, async s =>
            Assert.Equal("application/vnd.kubernetes.protobuf", (await s.GetAsync(s.Secrets, "application/vnd.kubernetes.protobuf"))
                .Is(200).ContentType))
        {
            Lacks = "406 Not Acceptable: clients that also accept JSON get that",
        },
        new("A client that accepts protobuf or JSON is served a custom kind as JSON", Sources.Representations, async s =>
            Assert.Equal("application/json", (await s.GetAsync(s.Widgets, "application/vnd.kubernetes.protobuf, application/json"))
                .Is(200).ContentType)),
    ]);

    private static List<JsonObject> Rows(Answer table) => [.. table.At("rows")!.AsArray().OfType<JsonObject>()];

    private static IEnumerable<string?> Columns(Answer table) => table.At("columnDefinitions")!.AsArray()
        .Select(column => (string?)column!["name"]);
}
