using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Graft.Operator.Api;
using Graft.Runtime;
using k8s;
using k8s.Models;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>
/// What is there in the end, in a form that equal ends have in common: without times, versions and generations, and with the names of
/// objects in place of their uids.
/// </summary>
internal static partial class EndState
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly string[] OfOneRun =
    [
        "uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "managedFields", "lastTransitionTime", "startTime",
        "finishTime", "startedAt", "finishedAt", "completionTime", "clusterIP", "clusterIPs",
        // Digests over uids, among other things.
        Applier.DigestAnnotation, ApiNames.JobDigestAnnotation,
    ];

    public static async Task<string> OfAsync(ApiClient admin, string ns)
    {
        var objects = new List<JsonObject>();
        await AddAsync<FineTuneJob>();
        await AddAsync<AdapterDeployment>();
        await AddAsync<V1Job>();
        await AddAsync<V1ConfigMap>();
        await AddAsync<V1Deployment>();
        await AddAsync<V1Service>();
        await AddAsync<V1Pod>();
        var uids = objects.ToDictionary(o => (string)o["metadata"]!["uid"]!, o => $"uid-of-{o["kind"]}-{o["metadata"]!["name"]}");
        foreach (var obj in objects) Strip(obj);
        var text = new JsonArray([.. objects]).ToJsonString(Indented);
        foreach (var (uid, name) in uids)
            text = text.Replace(uid, name, StringComparison.Ordinal);
        // An artifact's name ends in a digest over its run's uid.
        return ArtifactDigest().Replace(text, "-DIGEST");

        async Task AddAsync<T>() where T : class, IKubernetesObject<V1ObjectMeta>
        {
            foreach (var obj in (await admin.ListAsync<T>(ns)).OrderBy(o => o.Metadata.Name, StringComparer.Ordinal))
                objects.Add(ObjectJson.ToJson(obj));
        }
    }

    /// <summary>The first lines that differ.</summary>
    public static string Difference(string wanted, string found)
    {
        var (left, right) = (wanted.Split('\n'), found.Split('\n'));
        var at = Enumerable.Range(0, Math.Min(left.Length, right.Length)).FirstOrDefault(i => left[i] != right[i], Math.Min(left.Length, right.Length));
        string Around(string[] lines) => string.Join('\n', lines.Skip(Math.Max(0, at - 6)).Take(12));
        return $"wanted:\n{Around(left)}\nfound:\n{Around(right)}";
    }

    [GeneratedRegex("-[0-9a-f]{8}(?![0-9a-f-])")]
    private static partial Regex ArtifactDigest();

    private static void Strip(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) Strip(item);
        }
        if (node is not JsonObject obj) return;
        // An owner's uid is what tells whether the owner is the one that is there: it stays.
        foreach (var field in OfOneRun.Where(f => f != "uid" || !obj.ContainsKey("controller"))) obj.Remove(field);
        foreach (var (_, value) in obj) Strip(value);
    }
}
