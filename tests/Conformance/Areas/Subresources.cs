using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Subresources
{
    public static Area Area => new("Status and scale",
    [
        new("A new object has no status, whatever was sent", Sources.CustomStatus, async s =>
            (await s.PostAsync(s.Widgets, s.Server.Widgets.Make("a").With("Done", "status", "phase"))).Is(201).Absent("status")),
        new("An update leaves the status alone", Sources.CustomStatus, async s =>
        {
            var made = await s.WidgetAsync("a");

            (await s.PutAsync(s.Widget("a"), made.Object.With("Done", "status", "phase"))).Is(200).Absent("status");
        }),
        new("A patch of the object leaves the status alone", Sources.CustomStatus, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a"), "merge", """{"status": {"phase": "Done"}}""")).Is(200).Absent("status");
        }),
        new("An update of status changes the status and nothing else", Sources.CustomStatus, async s =>
        {
            var made = await s.WidgetAsync("a", """{"text": "x"}""");

            (await s.PutAsync($"{s.Widget("a")}/status", made.Object.With("Done", "status", "phase").With("y", "spec", "text"))).Is(200)
                .Equal("Done", "status", "phase").Equal("x", "spec", "text");
        }),
        new("A patch of status changes the status and nothing else", Sources.CustomStatus, async s =>
        {
            await s.WidgetAsync("a", """{"text": "x"}""");

            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"spec": {"text": "y"}, "status": {"phase": "Done"}}""")).Is(200)
                .Equal("Done", "status", "phase").Equal("x", "spec", "text");
        }),
        new("An update of status leaves labels alone", Sources.CustomStatus, async s =>
        {
            var made = await s.WidgetAsync("a");

            (await s.PutAsync($"{s.Widget("a")}/status", made.Object.With("1", "metadata", "labels", "x"))).Is(200)
                .Absent("metadata", "labels");
        }),
        new("The status can be read by its subresource", Sources.CustomStatus, async s =>
        {
            await s.WidgetAsync("a");
            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"status": {"phase": "Done"}}""")).Is(200);

            (await s.GetAsync($"{s.Widget("a")}/status")).Is(200).Equal("Widget", "kind").Equal("Done", "status", "phase");
        }),
        new("A status is held to the schema", Sources.CustomStatus, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"status": {"replicas": "many"}}"""))
                .Refuses(422, "Invalid", "status.replicas");
        }),
        new("The status of a built-in object is written by its subresource alone", Sources.SpecAndStatus, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"status": {"collisionCount": 7}}""")).Is(200)
                .Absent("status", "collisionCount");
            (await s.PatchAsync($"{s.Deployment("a")}/status", "merge", """{"status": {"collisionCount": 7}}""")).Is(200)
                .Equal(7, "status", "collisionCount");
        }),
        new("A kind without a status has no such subresource", Sources.Resources, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.GetAsync($"{s.ConfigMap("a")}/status")).Refuses(404, "NotFound", "the server could not find the requested resource");
        }),
        new("A subresource that no kind has is not found", Sources.Resources, async s =>
        {
            await s.WidgetAsync("a");

            (await s.GetAsync($"{s.Widget("a")}/nonsense")).Is(404);
        }),
        Case.Refused("The status of an object that is not there is not found", Sources.Errors,
            s => s.PatchAsync($"{s.Widget("a")}/status", "merge", "{}"), 404, "NotFound", "\"a\" not found"),
        new("Scale shows the replicas of spec and status as an autoscaling/v1 Scale", Sources.CustomScale, async s =>
        {
            await s.WidgetAsync("a", """{"replicas": 3}""");
            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"status": {"replicas": 2, "selector": "app=a"}}""")).Is(200);

            (await s.GetAsync($"{s.Widget("a")}/scale")).Is(200).Equal("Scale", "kind").Equal("autoscaling/v1", "apiVersion")
                .Equal("a", "metadata", "name").Equal(3, "spec", "replicas").Equal(2, "status", "replicas")
                    .Equal("app=a", "status", "selector");
        }),
        new("Scale has the uid and the resourceVersion of its object", Sources.CustomScale, async s =>
        {
            var made = await s.WidgetAsync("a", """{"replicas": 3}""");

            (await s.GetAsync($"{s.Widget("a")}/scale")).Is(200).Equal(made.Uid, "metadata", "uid")
                .Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("An update of scale changes the replicas of the object", Sources.CustomScale, async s =>
        {
            await s.WidgetAsync("a", """{"replicas": 3}""");
            var scale = (await s.GetAsync($"{s.Widget("a")}/scale")).Is(200);

            (await s.PutAsync($"{s.Widget("a")}/scale", scale.Object.With(5, "spec", "replicas"))).Is(200).Equal(5, "spec", "replicas");

            (await s.GetAsync(s.Widget("a"))).Equal(5, "spec", "replicas");
        }),
        new("A patch of scale changes the replicas of a Deployment", Sources.CustomScale, async s =>
        {
            await s.DeploymentAsync("a", "\"paused\": true");

            (await s.PatchAsync($"{s.Deployment("a")}/scale", "merge", """{"spec": {"replicas": 2}}""")).Is(200)
                .Equal(2, "spec", "replicas");

            (await s.GetAsync(s.Deployment("a"))).Equal(2, "spec", "replicas");
        }),
        new("The selector of a Deployment's scale is written as a query", Sources.CustomScale, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.GetAsync($"{s.Deployment("a")}/scale")).Is(200).Equal("app=a", "status", "selector");
        }),
        new("Fewer than no replicas are refused", Sources.ScaleValidation, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.PatchAsync($"{s.Deployment("a")}/scale", "merge", """{"spec": {"replicas": -1}}"""))
                .Refuses(422, "Invalid", "spec.replicas: Invalid value: -1", "must be greater than or equal to 0");
        }),
        new("An update of scale that names an older resourceVersion conflicts", Sources.Concurrency, async s =>
        {
            await s.WidgetAsync("a", """{"replicas": 3}""");
            var scale = (await s.GetAsync($"{s.Widget("a")}/scale")).Is(200);
            (await s.PatchAsync(s.Widget("a"), "merge", """{"spec": {"text": "x"}}""")).Is(200);

            (await s.PutAsync($"{s.Widget("a")}/scale", scale.Object.With(5, "spec", "replicas"))).Refuses(409, "Conflict");
        }),
        new("Fewer than no replicas of a custom object are refused", Sources.CustomScale, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PutAsync($"{s.Widget("a")}/scale", Make.Named("autoscaling/v1", "Scale", "a").With(-2, "spec", "replicas")))
                .Refuses(422, "Invalid", "spec.replicas");
        }),
    ]);
}
