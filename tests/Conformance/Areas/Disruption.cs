using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Disruption
{
    private const string Condition = "DisruptionAllowed";

    public static Area Area => new("Disruption budgets and eviction",
    [
        Case.Refused("A budget says either how many must be available or how many may not", Sources.PolicyValidation,
            s => s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1, "maxUnavailable": 1}""")), 422, "Invalid",
            "minAvailable and maxUnavailable cannot be both set"),
        Case.Refused("A share of a budget is at most 100%", Sources.PolicyValidation,
            s => s.PostAsync(Budgets(s), Budget("""{"minAvailable": "101%"}""")), 422, "Invalid", "spec.minAvailable", "must not be greater than 100%"),
        Case.Refused("A share of a budget is a number or a percentage", Sources.PolicyValidation,
            s => s.PostAsync(Budgets(s), Budget("""{"minAvailable": "many"}""")), 422, "Invalid", "spec.minAvailable", "a valid percent string"),
        Case.Refused("A budget's number is not negative", Sources.PolicyValidation,
            s => s.PostAsync(Budgets(s), Budget("""{"maxUnavailable": -1}""")), 422, "Invalid", "must be greater than or equal to 0"),
        Case.Refused("A budget's policy for unhealthy pods is one of two", Sources.PolicyValidation,
            s => s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1, "unhealthyPodEvictionPolicy": "Never"}""")), 422, "Invalid",
            "supported values: \"AlwaysAllow\", \"IfHealthyBudget\""),
        Case.Refused("Evicting a pod that is not there is refused with 404", Sources.EvictionStorage,
            s => EvictAsync(s, "a"), 404, "NotFound", "pods \"a\" not found"),
        new("Discovery names the eviction of pods, with the group of its kind", Sources.Eviction, async s =>
        {
            var entry = ((await s.GetAsync("/api/v1")).Is(200).At("resources") as JsonArray)!.OfType<JsonObject>()
                .Single(r => (string?)r["name"] == "pods/eviction");
            Assert.Equal(("policy", "v1", "Eviction"), ((string?)entry["group"], (string?)entry["version"], (string?)entry["kind"]));
        }),
        Pods("A pod that no budget selects is evicted: it is deleted, with its grace", Sources.Eviction, async s =>
        {
            await RunAsync(s, "a");

            (await EvictAsync(s, "a")).Is(201).Equal("Success", "status");

            await s.GoneAsync($"{s.Pods}/a");
        }),
        Pods("An eviction with dryRun is judged and changes nothing", Sources.Eviction, async s =>
        {
            await RunAsync(s, "a");

            (await s.PostAsync($"{s.Pods}/a/eviction?dryRun=All", Make.Named("policy/v1", "Eviction", "a"))).Is(201);

            (await s.GetAsync($"{s.Pods}/a")).Is(200).Absent("metadata", "deletionTimestamp");
        }),
        Pods("A budget counts its healthy pods, and says how many may go", Sources.Budgets, async s =>
        {
            await RunAsync(s, "a");
            await RunAsync(s, "b");
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1}"""))).Is(201);

            var budget = await AllowedAsync(s, 1);
            budget.Equal(2, "status", "currentHealthy").Equal(1, "status", "desiredHealthy").Equal(2, "status", "expectedPods")
                .Equal("SufficientPods", "status", "conditions", "0", "reason").Equal(Condition, "status", "conditions", "0", "type");
        }),
        Pods("An eviction that would break a budget is refused with 429, and the pod stays", Sources.Eviction, async s =>
        {
            await RunAsync(s, "a");
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1}"""))).Is(201);
            await s.UntilAsync("the budget has counted the pod", async () =>
                (int?)(await s.GetAsync($"{Budgets(s)}/b")).At("status", "currentHealthy") == 1);

            var refused = (await EvictAsync(s, "a")).Refuses(429, "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.");
            refused.Equal("DisruptionBudget", "details", "causes", "0", "reason")
                .Equal("The disruption budget b needs 1 healthy pods and has 1 currently", "details", "causes", "0", "message");
            (await s.GetAsync($"{s.Pods}/a")).Is(200).Absent("metadata", "deletionTimestamp");
            (await s.GetAsync($"{Budgets(s)}/b")).Equal("InsufficientPods", "status", "conditions", "0", "reason");
        }),
        Pods("An eviction takes one from its budget", Sources.Eviction, async s =>
        {
            await RunAsync(s, "a");
            await RunAsync(s, "b");
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1}"""))).Is(201);
            await AllowedAsync(s, 1);

            (await EvictAsync(s, "a")).Is(201);

            (await EvictAsync(s, "b")).Refuses(429, "TooManyRequests");
        }),
        Pods("A pod that two budgets select cannot be evicted", Sources.EvictionStorage, async s =>
        {
            await RunAsync(s, "a");
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 0}"""))).Is(201);
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 0}""", "c"))).Is(201);

            (await EvictAsync(s, "a")).Refuses(500, "",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
        }),
        Pods("A pod that has ended is evicted whatever its budget says", Sources.EvictionStorage, async s =>
        {
            (await s.PostAsync(s.Pods, Pod(s, "a", "exit 0"))).Is(201);
            await s.UntilAsync("the pod has ended", async () => (string?)(await s.GetAsync($"{s.Pods}/a")).At("status", "phase") == "Succeeded");
            (await s.PostAsync(Budgets(s), Budget("""{"minAvailable": 1}"""))).Is(201);

            (await EvictAsync(s, "a")).Is(201);

            await s.GoneAsync($"{s.Pods}/a");
        }),
    ]);

    private static string Budgets(Space s) => $"/apis/policy/v1/namespaces/{s.Name}/poddisruptionbudgets";

    private static JsonObject Budget(string spec, string name = "b") => Make.Named("policy/v1", "PodDisruptionBudget", name)
        .With(Json.Object(spec).With("x", "selector", "matchLabels", "app"), "spec");

    private static JsonObject Pod(Space s, string name, string script) => Make.Pod(name, s.Server.ShellImage, script)
        .With("x", "metadata", "labels", "app").With(1, "spec", "terminationGracePeriodSeconds");

    private static Task<Answer> EvictAsync(Space s, string name) => s.PostAsync($"{s.Pods}/{name}/eviction", Make.Named("policy/v1", "Eviction", name));

    private static async Task RunAsync(Space s, string name)
    {
        (await s.PostAsync(s.Pods, Pod(s, name, "sleep 600"))).Is(201);
        await s.UntilAsync($"the pod {name} is ready", async () => ((await s.GetAsync($"{s.Pods}/{name}")).Is(200)
            .At("status", "conditions") as JsonArray ?? []).Any(c => (string?)c!["type"] == "Ready" && (string?)c["status"] == "True"));
    }

    private static async Task<Answer> AllowedAsync(Space s, int disruptions)
    {
        Answer? budget = null;
        await s.UntilAsync($"{disruptions} disruptions are allowed", async () =>
            (int?)(budget = await s.GetAsync($"{Budgets(s)}/b")).At("status", "disruptionsAllowed") == disruptions);
        return budget!;
    }

    private static Case Pods(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Pods };
}
