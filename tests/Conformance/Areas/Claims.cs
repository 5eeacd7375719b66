using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Claims
{
    public static Area Area => new("Claims",
    [
        Case.Refused("A claim says how it is accessed", Sources.CoreValidation,
            s => s.PostAsync(All(s), Claim(s).Without("spec", "accessModes")), 422, "Invalid", "spec.accessModes", "at least 1 access mode is required"),
        Case.Refused("A claim says how much it asks for", Sources.CoreValidation,
            s => s.PostAsync(All(s), Claim(s).Without("spec", "resources")), 422, "Invalid", "spec.resources[storage]"),
        new("A new claim is Pending, and protected while pods use it", Sources.ClaimProtection, async s =>
            (await s.PostAsync(All(s), Claim(s))).Is(201).Equal("Pending", "status", "phase")
                .Equal("kubernetes.io/pvc-protection", "metadata", "finalizers", "0").Equal("Filesystem", "spec", "volumeMode")),
        new("The access modes of a claim cannot be changed", Sources.CoreValidation, async s =>
        {
            (await s.PostAsync(All(s), Claim(s))).Is(201);

            (await s.PatchAsync($"{All(s)}/a", "merge", """{"spec": {"accessModes": ["ReadWriteMany"]}}"""))
                .Refuses(422, "Invalid", "spec is immutable after creation").Blames("spec", "FieldValueForbidden");
        }),
        Node("A claim that no pod uses goes when it is deleted", Sources.ClaimProtection, async s =>
        {
            (await s.PostAsync(All(s), Claim(s))).Is(201);

            (await s.DeleteAsync($"{All(s)}/a")).Is(200);

            await s.GoneAsync($"{All(s)}/a");
        }),
        Node("A claim is bound to a volume of its class that is large enough, and each names the other", Sources.VolumeBindingPage,
            s => WithVolumeAsync(s, async volume =>
            {
                var claim = (await s.PostAsync(All(s), Claim(s))).Is(201);

                await BoundAsync(s);
                (await s.GetAsync($"{All(s)}/a")).Equal(volume, "spec", "volumeName").Equal("1Gi", "status", "capacity", "storage");
                (await s.GetAsync(Volume(volume))).Is(200).Equal(claim.Uid, "spec", "claimRef", "uid");
                await PhaseAsync(s, volume, "Bound");
            })),
        Node("A claim that a pod uses waits, when it is deleted, for the pod to go", Sources.ClaimProtection, s => WithVolumeAsync(s, async _ =>
        {
            (await s.PostAsync(All(s), Claim(s))).Is(201);
            await BoundAsync(s);
            var pod = Make.Pod("p", "graft.invalid/none:1", "true");
            pod["spec"]!["volumes"] = new JsonArray(Json.Object("""{"name": "v", "persistentVolumeClaim": {"claimName": "a"}}"""));
            (await s.PostAsync(s.Pods, pod)).Is(201);
            await s.UntilAsync("the pod has a node", async () => (await s.GetAsync($"{s.Pods}/p")).Is(200).At("spec", "nodeName") is not null);

            (await s.DeleteAsync($"{All(s)}/a")).Is(200);
            Assert.NotEmpty((await s.GetAsync($"{All(s)}/a")).Is(200).Text("metadata", "deletionTimestamp"));

            (await s.DeleteAsync($"{s.Pods}/p", """{"gracePeriodSeconds": 0}""")).Is(200);
            await s.GoneAsync($"{All(s)}/a");
        })),
        Node("A volume whose claim has gone is Released, and stays, when its policy is Retain", Sources.Reclaiming, s => WithVolumeAsync(s, async volume =>
        {
            (await s.PostAsync(All(s), Claim(s))).Is(201);
            await BoundAsync(s);

            (await s.DeleteAsync($"{All(s)}/a")).Is(200);

            await PhaseAsync(s, volume, "Released");
        })),
    ]);

    private static string All(Space s) => s.Core("persistentvolumeclaims");

    private static string Volume(string name) => $"/api/v1/persistentvolumes/{name}";

    /// <summary>A claim of a class that nobody provisions.</summary>
    private static JsonObject Claim(Space s) => Make.Named("v1", "PersistentVolumeClaim", "a").With(Json.Object("""
        {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        """).With(s.Name, "storageClassName"), "spec");

    /// <summary>With a volume of the claim's class, which is removed afterwards.</summary>
    private static async Task WithVolumeAsync(Space s, Func<string, Task> run)
    {
        var volume = Make.Named("v1", "PersistentVolume", s.Name).With(Json.Object($$$"""
            {"accessModes": ["ReadWriteOnce"], "storageClassName": "{{{s.Name}}}", "capacity": {"storage": "1Gi"},
             "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/tmp/{{{s.Name}}}"}}
            """), "spec");
        (await s.PostAsync("/api/v1/persistentvolumes", volume)).Is(201);
        try
        {
            await run(s.Name);
        }
        finally
        {
            await s.DeleteAsync(Volume(s.Name));
        }
    }

    private static Task BoundAsync(Space s) => s.UntilAsync("the claim is bound", async () =>
        (string?)(await s.GetAsync($"{All(s)}/a")).Is(200).At("status", "phase") == "Bound");

    private static Task PhaseAsync(Space s, string volume, string phase) => s.UntilAsync($"the volume is {phase}", async () =>
        (string?)(await s.GetAsync(Volume(volume))).Is(200).At("status", "phase") == phase);

    private static Case Node(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Node };
}
