using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Generation
{
    public static Area Area => new("Generation",
    [
        new("A new custom object has generation 1", Sources.CustomStrategy, async s =>
            (await s.WidgetAsync("a")).Equal(1, "metadata", "generation")),
        new("A new Deployment has generation 1", Sources.DeploymentStrategy, async s =>
            (await s.DeploymentAsync("a")).Equal(1, "metadata", "generation")),
        new("A change of spec adds one", Sources.Metadata, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a"), "merge", """{"spec": {"text": "x"}}""")).Is(200).Equal(2, "metadata", "generation");
            (await s.PatchAsync(s.Widget("a"), "merge", """{"spec": {"text": "y"}}""")).Is(200).Equal(3, "metadata", "generation");
        }),
        new("A change of a Deployment's spec adds one", Sources.DeploymentStrategy, async s =>
        {
            await QuietAsync(s);

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"spec": {"minReadySeconds": 1}}""")).Is(200).Equal(2, "metadata", "generation");
        }),
        new("A change of a Deployment's annotations adds one, because they are copied to ReplicaSets", Sources.DeploymentStrategy,
            async s =>
        {
            await QuietAsync(s);

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"metadata": {"annotations": {"x": "1"}}}""")).Is(200)
                .Equal(2, "metadata", "generation");
        }),
        new("A change of labels adds nothing", Sources.DeploymentStrategy, async s =>
        {
            await QuietAsync(s);

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"metadata": {"labels": {"x": "1"}}}""")).Is(200)
                .Equal(1, "metadata", "generation");
        }),
        new("A change of a custom object's annotations adds nothing", Sources.CustomStrategy, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a"), "merge", """{"metadata": {"annotations": {"x": "1"}}}""")).Is(200)
                .Equal(1, "metadata", "generation");
        }),
        new("A change of status adds nothing", Sources.CustomStatus, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"status": {"phase": "x"}}""")).Is(200)
                .Equal(1, "metadata", "generation");
        }),
        new("A write that changes nothing adds nothing", Sources.CustomStrategy, async s =>
        {
            var made = await s.WidgetAsync("a", """{"text": "x"}""");

            (await s.PutAsync(s.Widget("a"), made.Object)).Is(200).Equal(1, "metadata", "generation");
        }),
        new("A generation that a client sends is ignored", Sources.BeforeUpdate, async s =>
        {
            (await s.PostAsync(s.Widgets, s.Server.Widgets.Make("a").With(7, "metadata", "generation"))).Is(201)
                .Equal(1, "metadata", "generation");

            (await s.PatchAsync(s.Widget("a"), "merge", """{"metadata": {"generation": 9}}""")).Is(200).Equal(1, "metadata", "generation");
        }),
        new("Scaling adds one", Sources.CustomScale, async s =>
        {
            await s.WidgetAsync("a", """{"replicas": 1}""");
            (await s.PatchAsync($"{s.Widget("a")}/scale", "merge", """{"spec": {"replicas": 2}}""")).Is(200);

            (await s.GetAsync(s.Widget("a"))).Equal(2, "metadata", "generation");
        }),
        new("Applying a change of spec adds one", Sources.CustomStrategy, async s =>
        {
            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"text": "x"}"""), "one")).Is(201)
                .Equal(1, "metadata", "generation");

            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"text": "y"}"""), "one")).Is(200)
                .Equal(2, "metadata", "generation");
        }),
        new("The mark of deletion adds one", Sources.Store, async s =>
        {
            (await s.PostAsync(s.Widgets, s.Server.Widgets.Make("a").With(new JsonArray("example.com/hold"), "metadata", "finalizers")))
                .Is(201);

            (await s.DeleteAsync(s.Widget("a"))).Is(200).Equal(2, "metadata", "generation");
            (await s.PatchAsync(s.Widget("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
        }),
        new("A ConfigMap has no generation", Sources.Metadata, async s => (await s.ConfigMapAsync("a")).Absent("metadata", "generation")),
    ]);

    /// <summary>A Deployment to which its controller adds no annotation, which would count too: it is paused.</summary>
    private static Task<Answer> QuietAsync(Space s) => s.DeploymentAsync("a", "\"paused\": true");
}
