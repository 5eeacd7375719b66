using System.Text;
using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class BadInput
{
    public static Area Area => new("Bad input",
    [
        Malformed("A body that is no JSON is refused", "{nonsense"),
        Malformed("A body that ends early is refused", """{"metadata": {"name": "a" """),
        Malformed("A body that goes on after its object is refused", """{"metadata": {"name": "a"}} more"""),
        Malformed("An empty body is refused", ""),
        Malformed("A body that is a list is refused", "[]"),
        Malformed("A body that is a text is refused", "\"text\""),
        Malformed("Metadata that are no object are refused", """{"metadata": []}"""),
        Malformed("A name that is no text is refused", """{"metadata": {"name": 5}}"""),
        Malformed("Labels that are no texts are refused", """{"metadata": {"name": "a", "labels": {"x": 5}}}"""),
        Malformed("A body nested deeper than 10000 is refused", Nested(20_000)),
        Case.Refused("A content type that is not served is refused", Sources.Negotiation,
            s => s.SendAsync(HttpMethod.Post, s.ConfigMaps, "{}", "text/html"), 415, "UnsupportedMediaType",
                "the body of the request was in an unknown format"),
        new("A patch of a content type that is none of the four is refused with those", Sources.Negotiation, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.SendAsync(HttpMethod.Patch, s.ConfigMap("a"), "{}", "application/json"))
                .Refuses(415, "UnsupportedMediaType", "application/json-patch+json", "application/merge-patch+json",
                    "application/strategic-merge-patch+json", "application/apply-patch+yaml");
        }),
        Case.Refused("A body larger than 3 MiB is refused", Sources.Handlers,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a", ("k", new string('x', 3 * 1024 * 1024 + 1)))), 413, "RequestEntityTooLarge",
                "Request entity too large: limit is 3145728"),
        Case.Refused("A ConfigMap larger than 1 MiB is refused", Sources.ConfigMapSize,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a", ("k", new string('x', 1024 * 1024 + 1)))), 422, "Invalid",
                "Too long: may not be more than 1048576 bytes"),
        Case.Refused("Annotations of more than 256 KiB are refused", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")
                .With(new string('x', 256 * 1024), "metadata", "annotations", "x")), 422, "Invalid",
            "metadata.annotations: Too long", "262144"),
        Case.Refused("A key of a ConfigMap has to be a file name", Sources.ConfigMapSize,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a", ("not a key", "1"))), 422, "Invalid",
                "data[not a key]: Invalid value: \"not a key\""),
        Case.Refused("A value of a Secret has to be base64", Sources.Secrets,
            s => s.PostAsync(s.Secrets, Make.Secret("a")
                .With("not base64!", "data", "k")), 400, "BadRequest", "Secret in version \"v1\" cannot be handled as a Secret"),
        Named("A name with capitals is refused", "Name", 422, "a lowercase RFC 1123 subdomain"),
        Named("A name that ends with a hyphen is refused", "a-", 422, "a lowercase RFC 1123 subdomain"),
        Named("A name with a slash is refused", "a/b", 422, "metadata.name"),
        Named("A name of two dots is refused", "..", 422, "metadata.name"),
        Named("A name of more than 253 characters is refused", new string('a', 254), 422, "253"),
        new("A name may have dots", Sources.Names, async s => (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a.b.c"))).Is(201)),
        Case.Refused("The name of a Service cannot begin with a digit", Sources.Names,
            s => s.PostAsync(s.Services, Make.Service("1a")), 422, "Invalid", "metadata.name", "DNS-1035"),
        Labelled("A label value of more than 63 characters is refused", "x", new string('v', 64), "must be no more than 63"),
        Labelled("A label value with a space is refused", "x", "a b", "metadata.labels"),
        Labelled("A label key with two slashes is refused", "a/b/c", "v", "metadata.labels"),
        Labelled("A label key whose name is longer than 63 characters is refused", new string('k', 64), "v", "metadata.labels"),
        new("An annotation value may be anything", Sources.Annotations, async s =>
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With("a b\n\u00e4 {\"", "metadata", "annotations", "x"))).Is(201)
                .Equal("a b\n\u00e4 {\"", "metadata", "annotations", "x")),
        Case.Refused("An annotation key with a space is refused", Sources.Annotations,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")
                .With("v", "metadata", "annotations", "a b")), 422, "Invalid", "metadata.annotations"),
        Case.Refused("An owner reference without a uid is refused", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")
                .With(JsonNode.Parse("""[{"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": ""}]"""), "metadata",
                "ownerReferences")),
            422, "Invalid", "metadata.ownerReferences.uid: Invalid value: \"\"", "must not be empty"),
        Case.Refused("Two owners that are both the controller are refused", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With(JsonNode.Parse("""
                [
                  {"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": "1", "controller": true},
                  {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "2", "controller": true}
                ]
                """), "metadata", "ownerReferences")), 422, "Invalid", "Only one reference can have Controller set to true"),
        Case.Refused("A finalizer that is no qualified name is refused", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")
                .With(new JsonArray("not a name"), "metadata", "finalizers")), 422, "Invalid", "metadata.finalizers"),
        Case.Refused("A limit that is no number is refused", Sources.GetHandler, s =>
            s.GetAsync($"{s.ConfigMaps}?limit=many"), 400, "BadRequest"),
        Case.Refused("A timeout that is no number is refused", Sources.GetHandler, s =>
            s.GetAsync($"{s.ConfigMaps}?watch=true&timeoutSeconds=long"), 400, "BadRequest"),
        new("Query parameters that nobody knows are ignored", Sources.GetHandler, async s =>
            (await s.GetAsync($"{s.ConfigMaps}?colour=red")).Is(200)),
        new("Numbers in a ConfigMap's data are refused, they have to be texts", Sources.Handlers, async s =>
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With(5, "data", "k")))
                .Refuses(400, "BadRequest", "ConfigMap in version \"v1\" cannot be handled as a ConfigMap")),
        Yaml("A YAML body nested deeper than 10000 is refused", "data: " + new string('[', 20_000)),
        Yaml("A YAML body whose aliases multiply is refused", Bomb()),
        Yaml("A YAML body with an alias of nothing is refused", "metadata: {name: a}\ndata: *nothing\n"),
        Yaml("A YAML body with an alias inside of its anchor is refused", "metadata: {name: a}\ndata: &a {k: *a}\n"),
        new("A JSON patch whose copies add more than 3 MiB is refused", Sources.ServerConfig, async s =>
        {
            await s.ConfigMapAsync("a", ("k", new string('x', 1000)));
            var copies = string.Join(',', Enumerable.Range(0, 30).Select(i => $$"""{"op": "copy", "from": "/data", "path": "/data/c{{i}}"}"""));

            (await s.PatchAsync(s.ConfigMap("a"), "json", $"[{copies}]"))
                .Refuses(422, "Invalid", "nable to complete the copy, the accumulated size increase of copy is");
        }),
        new("A selector of 100 KiB is answered", Sources.Labels, async s =>
        {
            var values = string.Join(',', Enumerable.Range(0, 8000).Select(i => $"value-{i:D6}"));

            Assert.Empty((await s.GetAsync($"{s.Secrets}?labelSelector={Uri.EscapeDataString($"x in ({values})")}")).Is(200).Items);
        }),
        new("A YAML body is read as well as JSON", Sources.Representations, async s =>
            (await s.SendAsync(HttpMethod.Post, s.ConfigMaps, "metadata:\n  name: a\ndata:\n  k: '1'\n", "application/yaml")).Is(201)
                .Equal("1", "data", "k")),
    ]);

    private static Case Malformed(string sentence, string body) => new(sentence, Sources.Handlers, async s =>
        (await s.SendAsync(HttpMethod.Post, s.ConfigMaps, body, "application/json")).Refuses(400, "BadRequest"));

    private static Case Yaml(string sentence, string body) => new(sentence, Sources.YamlDecoder, async s =>
        (await s.SendAsync(HttpMethod.Post, s.ConfigMaps, body, "application/yaml")).Refuses(400, "BadRequest"));

    /// <summary>Nine levels of nine aliases each: 387 million texts.</summary>
    private static string Bomb() => "metadata: {name: a}\nl0: &l0 [" + string.Join(", ", Enumerable.Repeat("x", 9)) + "]\n"
        + string.Concat(Enumerable.Range(1, 8).Select(i =>
            $"l{i}: &l{i} [{string.Join(", ", Enumerable.Repeat($"*l{i - 1}", 9))}]\n"));

    private static Case Named(string sentence, string name, int code, string word) => new(sentence, Sources.Names, async s =>
        (await s.PostAsync(s.ConfigMaps, Make.ConfigMap(name))).Refuses(code, "Invalid", "metadata.name", word));

    private static Case Labelled(string sentence, string key, string value, string word) => new(sentence, Sources.Labels, async s =>
        (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With(value, "metadata", "labels", key)))
            .Refuses(422, "Invalid", "metadata.labels", word));

    private static string Nested(int depth) =>
        new StringBuilder("""{"metadata": {"name": "a"}, "data": """).Append('[', depth).Append(']', depth).Append('}').ToString();
}
