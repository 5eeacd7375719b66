using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Refusals
{
    private const string NoResource = "the server could not find the requested resource";
    private const string NoMethod = "the server does not allow this method on the requested resource";

    public static Area Area => new("Refusals",
    [
        Case.Refused("An object that is not there is named in the refusal", Sources.Errors,
            s => s.GetAsync(s.ConfigMap("a")), 404, "NotFound", "configmaps \"a\" not found"),
        new("The details of a refusal have the name, the group and the resource", Sources.Errors, async s =>
            (await s.GetAsync(s.Deployment("a"))).Refuses(404, "NotFound", "deployments.apps \"a\" not found")
                .Equal("a", "details", "name").Equal("apps", "details", "group").Equal("deployments", "details", "kind")),
        new("A refusal has empty metadata, as every Status does", Sources.Statuses, async s =>
            (await s.GetAsync(s.ConfigMap("a"))).Refuses(404, "NotFound").Equal(new JsonObject(), "metadata")),
        new("An unknown group is not found", Sources.Resources, async s => (await s.GetAsync("/apis/none.example.com/v1/things")).Is(404)),
        new("An unknown version of a group is not found", Sources.Resources, async s =>
            (await s.GetAsync($"/apis/apps/v9/namespaces/{s.Name}/deployments")).Is(404)),
        Case.Refused("An unknown resource is not found", Sources.Resources, s => s.GetAsync(s.Core("things")), 404, "NotFound", NoResource),
        Case.Refused("Names of resources are told by case", Sources.Resources, s =>
            s.GetAsync(s.Core("ConfigMaps")), 404, "NotFound", NoResource),
        Case.Refused("An object of a namespaced kind cannot be had without its namespace", Sources.Resources,
            s => s.GetAsync("/api/v1/configmaps/a"), 404, "NotFound", NoResource),
        Case.Refused("A collection cannot be replaced", Sources.Resources, s =>
            s.PutAsync(s.ConfigMaps, Make.ConfigMap("a")), 405, "MethodNotAllowed", NoMethod),
        Case.Refused("A collection cannot be patched", Sources.Resources, s =>
            s.PatchAsync(s.ConfigMaps, "merge", "{}"), 405, "MethodNotAllowed", NoMethod),
        Case.Refused("An object cannot be created at its own path", Sources.Resources,
            s => s.PostAsync(s.ConfigMap("a"), Make.ConfigMap("a")), 405, "MethodNotAllowed", NoMethod),
        Case.Refused("A namespaced object cannot be created without a namespace in the path", Sources.Resources,
            s => s.PostAsync("/api/v1/configmaps", Make.ConfigMap("a")
                .With(s.Name, "metadata", "namespace")), 405, "MethodNotAllowed", NoMethod),
        Case.Refused("An update does not create", Sources.Store, s =>
            s.PutAsync(s.ConfigMap("a"), Make.ConfigMap("a")), 404, "NotFound", "configmaps \"a\" not found"),
        new("A name that is taken is refused", Sources.Errors, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a"))).Refuses(409, "AlreadyExists", "configmaps \"a\" already exists")
                .Equal("a", "details", "name").Equal("configmaps", "details", "kind");
        }),
        Case.Refused("A body of another kind is refused", Sources.Handlers,
            s => s.PostAsync(s.ConfigMaps, Make.Secret("a")), 400, "BadRequest", "cannot be handled as a ConfigMap"),
        Case.Refused("A body of another version is refused", Sources.Handlers,
            s => s.PostAsync(s.Deployments, Make.Deployment("a").With("apps/v9", "apiVersion")), 400, "BadRequest"),
        Case.Refused("A body of another namespace is refused", Sources.BeforeUpdate,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With("elsewhere", "metadata", "namespace")), 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request"),
        new("A body of another name than the path's is refused", Sources.Handlers, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PutAsync(s.ConfigMap("a"), Make.ConfigMap("b")))
                .Refuses(400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)");
        }),
        new("kind and apiVersion may be left out of a body: the path says them", Sources.Handlers, async s =>
            (await s.PostAsync(s.ConfigMaps, Json.Object("""{"metadata": {"name": "a"}}"""))).Is(201).Equal("ConfigMap", "kind")
                .Equal("v1", "apiVersion")),
        new("An invalid object has a cause for each fault", Sources.Errors, async s =>
        {
            var wrong = Make.ConfigMap("Not_A_Name").With("not a value", "metadata", "labels", "x");

            (await s.PostAsync(s.ConfigMaps, wrong)).Refuses(422, "Invalid", "ConfigMap \"Not_A_Name\" is invalid")
                .Blames("metadata.name", "FieldValueInvalid").Blames("metadata.labels", "FieldValueInvalid")
                .Equal("Not_A_Name", "details", "name").Equal("ConfigMap", "details", "kind");
        }),
        new("The qualified kind of an invalid object has its group", Sources.Errors, async s =>
            (await s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"mode": "Sideways"}""")))
                .Refuses(422, "Invalid", $"Widget.{s.Server.Widgets.Group} \"a\" is invalid")
                    .Blames("spec.mode", "FieldValueNotSupported")),
        Case.Refused("A value outside an enumeration is refused with those inside", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"mode": "Sideways"}""")), 422, "Invalid",
            "spec.mode: Unsupported value: \"Sideways\": supported values: \"Slow\", \"Fast\""),
        Case.Refused("A number below its minimum is refused", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"replicas": -1}""")), 422, "Invalid",
            "spec.replicas: Invalid value: -1", "should be greater than or equal to 0"),
        Case.Refused("A custom value of another type is refused", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"text": 5}""")), 422, "Invalid",
                "spec.text: Invalid value: \"integer\"", "must be of type string"),
        Case.Refused("A required member that is missing is refused", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"ports": [{"port": 1}]}""")), 422, "Invalid",
                "spec.ports[0].name: Required value"),
        Case.Refused("An item that stands twice in a set is refused", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"tags": ["x", "x"]}""")), 422, "Invalid",
                "spec.tags[1]: Duplicate value: \"x\""),
        Case.Refused("A key that stands twice in a map list is refused", Sources.CustomSchema,
            s => s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"ports": [{"name": "x"}, {"name": "x"}]}""")), 422, "Invalid",
                "spec.ports[1]: Duplicate value"),
        new("The data of an immutable ConfigMap cannot change", Sources.ConfigMaps, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a", ("k", "1")).With(true, "immutable"))).Is(201);

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "2"}}"""))
                .Refuses(422, "Invalid", "data: Forbidden: field is immutable when `immutable` is set");
            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"labels": {"x": "1"}}}""")).Is(200);
        }),
        new("The type of a Secret cannot change", Sources.Secrets, async s =>
        {
            await s.SecretsAsync("a");

            (await s.PatchAsync(s.Secret("a"), "merge", """{"type": "example.com/other"}"""))
                .Refuses(422, "Invalid", "type: Invalid value", "field is immutable");
        }),
        new("The texts of a Secret are stored as data", Sources.Secrets, async s =>
            (await s.PostAsync(s.Secrets, Make.Secret("a").With("x", "stringData", "k"))).Is(201).Equal("eA==", "data", "k")
                .Absent("stringData").Equal("Opaque", "type")),
        new("The selector of a Deployment cannot change", Sources.DeploymentStrategy, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.PatchAsync(s.Deployment("a"), "merge",
                """{"spec": {"selector": {"matchLabels": {"x": "1"}}, "template": {"metadata": {"labels": {"x": "1"}}}}}"""))
                .Refuses(422, "Invalid", "spec.selector: Invalid value", "field is immutable");
        }),
    ]);
}
