using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class PodSecurity
{
    private const string Good = """
        {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
        """;

    public static Area Area => new("Pod security",
    [
        new("Without labels a namespace takes every pod", Sources.PodSecurity, async s =>
        {
            await ReadyAsync(s);

            (await s.PostAsync(s.Pods, Pod("a", """{"privileged": true}"""))).Is(201);
        }),
        new("A restricted namespace refuses a pod, and names everything that it lacks", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "enforce", "restricted");

            (await s.PostAsync(s.Pods, Pod("a", "{}"))).Refuses(403, "Forbidden", "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": "
                + "allowPrivilegeEscalation != false (container \"main\" must set securityContext.allowPrivilegeEscalation=false), "
                + "unrestricted capabilities (container \"main\" must set securityContext.capabilities.drop=[\"ALL\"]), "
                + "runAsNonRoot != true (pod or container \"main\" must set securityContext.runAsNonRoot=true), "
                + "seccompProfile (pod or container \"main\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
        }),
        new("A restricted namespace takes a pod that lacks nothing", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "enforce", "restricted");

            (await s.PostAsync(s.Pods, Pod("a", Good))).Is(201);
        }),
        Refused("A baseline namespace refuses a privileged container", "baseline", Pod("a", """{"privileged": true}"""),
            "violates PodSecurity \"baseline:latest\": privileged (container \"main\" must not set securityContext.privileged=true)"),
        Refused("A baseline namespace refuses the node's network", "baseline", Pod("a", "{}").With(true, "spec", "hostNetwork"),
            "host namespaces (hostNetwork=true)"),
        Refused("A baseline namespace refuses folders of the node", "baseline",
            Pod("a", "{}").With(JsonNode.Parse("""[{"name": "v", "hostPath": {"path": "/tmp"}}]"""), "spec", "volumes"), "hostPath volumes (volume \"v\")"),
        Refused("A baseline namespace refuses added capabilities", "baseline", Pod("a", """{"capabilities": {"add": ["SYS_ADMIN"]}}"""),
            "non-default capabilities (container \"main\" must not include \"SYS_ADMIN\" in securityContext.capabilities.add)"),
        Refused("A restricted namespace names a folder of the node as a volume type", "restricted",
            Pod("a", Good).With(JsonNode.Parse("""[{"name": "v", "hostPath": {"path": "/tmp"}}]"""), "spec", "volumes"),
            "restricted volume types (volume \"v\" uses restricted volume type \"hostPath\")"),
        Refused("A restricted namespace refuses root", "restricted", Pod("a", Good).With(0, "spec", "securityContext", "runAsUser"),
            "runAsUser=0 (pod must not set runAsUser=0)"),
        new("A baseline namespace takes an ordinary pod", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "enforce", "baseline");

            (await s.PostAsync(s.Pods, Pod("a", "{}"))).Is(201);
        }),
        new("A namespace that warns takes the pod, and says what it lacks", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "warn", "baseline");

            var made = (await s.PostAsync(s.Pods, Pod("a", """{"privileged": true}"""))).Is(201);

            Assert.Contains("would violate PodSecurity \\\"baseline:latest\\\": privileged", Assert.Single(made.Warnings), StringComparison.Ordinal);
        }),
        new("A template is not refused, but warned about", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "enforce", "restricted");

            var made = (await s.PostAsync(s.Deployments, Make.Deployment("a", "\"paused\": true"))).Is(201);

            Assert.Contains("would violate PodSecurity", Assert.Single(made.Warnings), StringComparison.Ordinal);
        }),
        new("A dry run is refused too", Sources.PodSecurity, async s =>
        {
            await LabelledAsync(s, "enforce", "baseline");

            (await s.PostAsync($"{s.Pods}?dryRun=All", Pod("a", """{"privileged": true}"""))).Refuses(403, "Forbidden", "violates PodSecurity");
        }),
        new("A level that is none is refused", Sources.PodSecurity, async s =>
            (await s.PatchAsync(s.Path, "merge", """{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "strict"}}}"""))
                .Refuses(422, "Invalid", "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of privileged, baseline, restricted")),
        new("A version that is none is refused", Sources.PodSecurity, async s =>
            (await s.PatchAsync(s.Path, "merge", """{"metadata": {"labels": {"pod-security.kubernetes.io/enforce-version": "1.30"}}}"""))
                .Refuses(422, "Invalid", "must be \"latest\" or \"v1.x\"")),
        new("Labelling a namespace warns about the pods that it has", Sources.PodSecurity, async s =>
        {
            await ReadyAsync(s);
            (await s.PostAsync(s.Pods, Pod("a", """{"privileged": true}"""))).Is(201);

            var labelled = (await s.PatchAsync(s.Path, "merge", """{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}""")).Is(200);

            Assert.Contains(labelled.Warnings, warning => warning.Contains("existing pods in namespace", StringComparison.Ordinal)
                && warning.Contains("violate the new PodSecurity enforce level \\\"baseline:latest\\\"", StringComparison.Ordinal));
            Assert.Contains(labelled.Warnings, warning => warning.Contains("a: privileged", StringComparison.Ordinal));
        }),
    ]);

    private static Case Refused(string sentence, string level, JsonObject pod, string words) => new(sentence, Sources.PodSecurityStandards, async s =>
    {
        await LabelledAsync(s, "enforce", level);
        (await s.PostAsync(s.Pods, (JsonObject)pod.DeepClone())).Refuses(403, "Forbidden", words);
    });

    private static async Task LabelledAsync(Space s, string mode, string level)
    {
        (await s.PatchAsync(s.Path, "merge", $$$$"""{"metadata": {"labels": {"pod-security.kubernetes.io/{{{{mode}}}}": "{{{{level}}}}"}}}""")).Is(200);
        await ReadyAsync(s);
    }

    private static Task ReadyAsync(Space s) => s.UntilAsync("the account of pods is there",
        async () => (await s.GetAsync($"{s.Core("serviceaccounts")}/default")).Code == 200);

    /// <summary>A pod that no scheduler looks at.</summary>
    private static JsonObject Pod(string name, string context) => Make.Pod(name, "graft.invalid/none:1", "true")
        .With(new JsonArray(new JsonObject { ["name"] = "example.com/never" }), "spec", "schedulingGates")
        .With(new JsonArray(new JsonObject
        {
            ["name"] = "main", ["image"] = "graft.invalid/none:1", ["securityContext"] = JsonNode.Parse(context),
        }), "spec", "containers");
}
