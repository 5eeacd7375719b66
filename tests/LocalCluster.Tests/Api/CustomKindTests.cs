namespace Graft.LocalCluster.Tests.Api;

public sealed class CustomKindTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string Crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    [Fact]
    public async Task A_definition_serves_its_kind_at_once_and_takes_it_away_with_all_objects()
    {
        var path = await DefineAsync("gadgets", "Gadget");
        var (_, created) = await cluster.PostAsync(path, """{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"a"},"spec":{"color":"Red"}}""");
        Assert.Equal(2, created["spec"]!["size"]!.GetValue<int>());
        Assert.Equal(1, created["metadata"]!["generation"]!.GetValue<int>());
        var (_, resources) = await cluster.GetAsync("/apis/example.com/v1");
        Assert.Contains(resources["resources"]!.AsArray(), r => r!["name"]!.GetValue<string>() == "gadgets/status");
        await cluster.DeleteAsync(Crds + "/gadgets.example.com");
        await Poll.UntilAsync(async () => (await cluster.GetAsync(Crds + "/gadgets.example.com")).Code == 404);
        var (_, absent) = await cluster.GetAsync(path);
        Assert.Equal("the server could not find the requested resource", absent["message"]!.GetValue<string>());
        await DefineAsync("gadgets", "Gadget");
        Assert.Empty((await cluster.GetAsync(path)).Body["items"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"color":"Blue"}""", 422, "spec.color: Unsupported value: \"Blue\": supported values: \"Red\", \"Green\"")]
    [InlineData("""{}""", 422, "spec.color: Required value")]
    [InlineData("""{"color":"Red","size":-1}""", 422, "spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0")]
    [InlineData("""{"color":"Red","shape":"x"}""", 400, "strict decoding error: unknown field \"spec.shape\"")]
    public async Task Objects_are_held_to_the_schema(string spec, int code, string message)
    {
        var path = await DefineAsync("doodads", "Doodad");
        var (actual, status) = await cluster.PostAsync(path + "?fieldValidation=Strict", $$$"""{"metadata":{"name":"a"},"spec":{{{spec}}}}""");
        Assert.Equal(code, actual);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_and_spec_have_separate_doors_and_every_update_names_its_version()
    {
        var path = await DefineAsync("gizmos", "Gizmo");
        var name = cluster.Name();
        var (_, created) = await cluster.PostAsync(path, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"color":"Red"},"status":{"ready":"no"}}""");
        Assert.Null(created["status"]);
        var (_, status) = await cluster.PatchAsync($"{path}/{name}/status", """{"status":{"ready":"yes"}}""", "merge");
        Assert.Equal("yes", status["status"]!["ready"]!.GetValue<string>());
        Assert.Equal(1, status["metadata"]!["generation"]!.GetValue<int>());
        var (_, changed) = await cluster.PatchAsync($"{path}/{name}", """{"spec":{"color":"Green"},"status":{"ready":"no"}}""", "merge");
        Assert.Equal("yes", changed["status"]!["ready"]!.GetValue<string>());
        Assert.Equal(2, changed["metadata"]!["generation"]!.GetValue<int>());
        changed["metadata"]!.AsObject().Remove("resourceVersion");
        var (code, refused) = await cluster.PutAsync($"{path}/{name}", changed.ToJsonString());
        Assert.Equal(422, code);
        Assert.Contains("metadata.resourceVersion: Invalid value", refused["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(415, (await cluster.PatchAsync($"{path}/{name}", "{}", "strategic-merge")).Code);
    }

    [Fact]
    public async Task Columns_fields_and_scale_follow_the_definition()
    {
        var path = await DefineAsync("trinkets", "Trinket");
        await cluster.PostAsync(path, """{"metadata":{"name":"a"},"spec":{"color":"Red","size":3}}""");
        await cluster.PatchAsync(path + "/a/status", """{"status":{"conditions":[{"type":"Other","status":"False"},{"type":"Ready","status":"True"}]}}""", "merge");
        var (_, table) = await cluster.GetAsync(path, "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal(["Name", "Color", "Ready", "Size"], table["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        Assert.Equal("""["a","Red","True",3]""", table["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Empty((await cluster.GetAsync(path + "?fieldSelector=spec.color%3DGreen")).Body["items"]!.AsArray());
        Assert.Single((await cluster.GetAsync(path + "?fieldSelector=spec.color%3DRed")).Body["items"]!.AsArray());
        Assert.Equal(400, (await cluster.GetAsync(path + "?fieldSelector=spec.size%3D3")).Code);
        var (_, scaled) = await cluster.PatchAsync(path + "/a/scale", """{"spec":{"replicas":5}}""", "merge");
        Assert.Equal("Scale", scaled["kind"]!.GetValue<string>());
        Assert.Equal(5, (await cluster.GetAsync(path + "/a")).Body["spec"]!["size"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("\"scope\":\"Namespaced\"", "\"scope\":\"Everywhere\"", "spec.scope: Unsupported value: \"Everywhere\"")]
    [InlineData("\"storage\":true", "\"storage\":false", "must have exactly one version marked as storage version")]
    [InlineData("\"jsonPath\":\".spec.color\"", "\"jsonPath\":\"spec color\"", "is not a JSON path")]
    [InlineData("\"strategy\":\"None\"", "\"strategy\":\"Webhook\"", "spec.conversion.strategy: Unsupported value: \"Webhook\"")]
    [InlineData("\"type\":\"integer\"", "\"type\":\"whole\"",
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[size].type")]
    [InlineData("broken.example.com", "other.example.com", "metadata.name: Invalid value: \"other.example.com\"")]
    public async Task A_definition_that_cannot_be_served_is_refused(string right, string wrong, string message)
    {
        var (code, status) = await cluster.PostAsync(Crds, Definition("broken", "Broken").Replace(right, wrong, StringComparison.Ordinal));
        Assert.Equal(422, code);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<string> DefineAsync(string plural, string kind)
    {
        var (code, definition) = await cluster.PostAsync(Crds, Definition(plural, kind));
        Assert.True(code is 201 or 409, definition.ToJsonString());
        if (code == 201)
            Assert.Contains(definition["status"]!["conditions"]!.AsArray(), c => c!["type"]!.GetValue<string>() == "Established"
                && c["status"]!.GetValue<string>() == "True");
        return $"/apis/example.com/v1/namespaces/default/{plural}";
    }

    private static string Definition(string plural, string kind) => """
        {"metadata":{"name":"PLURAL.example.com"},"spec":{"group":"example.com","scope":"Namespaced","conversion":{"strategy":"None"},
         "names":{"kind":"KIND","plural":"PLURAL"},"versions":[{"name":"v1","served":true,"storage":true,
          "subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}},
          "selectableFields":[{"jsonPath":".spec.color"}],
          "additionalPrinterColumns":[{"name":"Color","type":"string","jsonPath":".spec.color"},
           {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
           {"name":"Size","type":"integer","jsonPath":".spec.size","priority":1}],
          "schema":{"openAPIV3Schema":{"type":"object","properties":{
           "spec":{"type":"object","required":["color"],"properties":{"color":{"type":"string","enum":["Red","Green"]},
            "size":{"type":"integer","minimum":0,"default":2}}},
           "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}
        """.Replace("PLURAL", plural, StringComparison.Ordinal).Replace("KIND", kind, StringComparison.Ordinal);
}
