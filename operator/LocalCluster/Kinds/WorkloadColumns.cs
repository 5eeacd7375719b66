using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;
using static Graft.LocalCluster.Kinds.PrinterColumns;

namespace Graft.LocalCluster.Kinds;

/// <summary>The columns of the kinds that run or carry something: pods, jobs, deployments, services, volumes.</summary>
internal static class WorkloadColumns
{
    private static readonly PrinterColumn Containers = Text("Containers",
        o => Join(PodSpec(o)["containers"].Objects().Select(c => c["name"].AsString())), 1);
    private static readonly PrinterColumn Images = Text("Images",
        o => Join(PodSpec(o)["containers"].Objects().Select(c => c["image"].AsString())), 1);
    private static readonly PrinterColumn LabelSelector = Text("Selector", o => Selector(o.At("spec", "selector")), 1);

    public static IReadOnlyList<PrinterColumn> Pods { get; } =
    [
        Name,
        Text("Ready", PodPrinter.Ready),
        Text("Status", PodPrinter.Status),
        new("Restarts", "string", (o, time) => PodPrinter.Restarts(o, time)),
        Age,
        Text("IP", o => o.At("status", "podIP").AsString() ?? "<none>", 1),
        Text("Node", o => o.At("spec", "nodeName").AsString() ?? "<none>", 1),
        Text("Nominated Node", o => o.At("status", "nominatedNodeName").AsString() ?? "<none>", 1),
        Text("Readiness Gates", _ => "<none>", 1),
    ];

    public static IReadOnlyList<PrinterColumn> Jobs { get; } =
    [
        Name,
        Text("Status", JobStatus),
        Text("Completions", JobCompletions),
        new("Duration", "string", (o, time) => JobDuration(o, time)),
        Age,
        Containers,
        Images,
        LabelSelector,
    ];

    public static IReadOnlyList<PrinterColumn> Deployments { get; } =
    [
        Name,
        Text("Ready", o => $"{o.At("status", "readyReplicas").AsLong() ?? 0}/{o.At("spec", "replicas").AsLong() ?? 0}"),
        Number("Up-to-date", "status", "updatedReplicas"),
        Number("Available", "status", "availableReplicas"),
        Age,
        Containers,
        Images,
        LabelSelector,
    ];

    public static IReadOnlyList<PrinterColumn> ReplicaSets { get; } =
    [
        Name,
        Number("Desired", "spec", "replicas"),
        Number("Current", "status", "replicas"),
        Number("Ready", "status", "readyReplicas"),
        Age,
        Containers,
        Images,
        LabelSelector,
    ];

    public static IReadOnlyList<PrinterColumn> Services { get; } =
    [
        Name,
        Text("Type", o => o.At("spec", "type").AsString()),
        Text("Cluster-IP", o => o.At("spec", "clusterIP").AsString() ?? "<none>"),
        Text("External-IP", o => o.At("spec", "externalName").AsString() ?? Join(o.At("spec", "externalIPs").Strings())),
        Text("Port(s)", o => Join(o.At("spec", "ports").Objects().Select(p => $"{p["port"].AsText()}/{p["protocol"].AsString()}"))),
        Age,
        Text("Selector", o => Join(o.At("spec", "selector").StringMap().Select(p => $"{p.Key}={p.Value}").Order(StringComparer.Ordinal)),
            1),
    ];

    public static IReadOnlyList<PrinterColumn> PersistentVolumeClaims { get; } =
    [
        Name,
        Text("Status", o => o.IsDeleting() ? "Terminating" : o.At("status", "phase").AsString()),
        Text("Volume", o => o.At("spec", "volumeName").AsString()),
        Text("Capacity", o => o.At("spec", "volumeName") is null ? "" : o.At("status", "capacity", "storage").AsText()),
        Text("Access Modes", o => o.At("spec", "volumeName") is null ? "" : AccessModes(o.At("status", "accessModes"))),
        Text("StorageClass", o => o.At("spec", "storageClassName").AsString()),
        Text("VolumeAttributesClass", o => o.At("spec", "volumeAttributesClassName").AsString() ?? "<unset>"),
        Age,
        Text("VolumeMode", o => o.At("spec", "volumeMode").AsString() ?? "<unset>", 1),
    ];

    public static IReadOnlyList<PrinterColumn> PersistentVolumes { get; } =
    [
        Name,
        Text("Capacity", o => o.At("spec", "capacity", "storage").AsText()),
        Text("Access Modes", o => AccessModes(o.At("spec", "accessModes"))),
        Text("Reclaim Policy", o => o.At("spec", "persistentVolumeReclaimPolicy").AsString()),
        Text("Status", o => o.IsDeleting() ? "Terminating" : o.At("status", "phase").AsString()),
        Text("Claim", o => o.At("spec", "claimRef") is { } claim ? $"{claim["namespace"].AsString()}/{claim["name"].AsString()}" : ""),
        Text("StorageClass", o => o.At("spec", "storageClassName").AsString()),
        Text("VolumeAttributesClass", o => o.At("spec", "volumeAttributesClassName").AsString() ?? "<unset>"),
        Text("Reason", o => o.At("status", "reason").AsString()),
        Age,
        Text("VolumeMode", o => o.At("spec", "volumeMode").AsString() ?? "<unset>", 1),
    ];

    private static JsonObject PodSpec(JsonObject obj) => obj.At("spec", "template", "spec") as JsonObject ?? [];

    private static bool HasCondition(JsonObject obj, string type) =>
        obj.At("status", "conditions").Objects().Any(c => c["type"].AsString() == type && c["status"].AsString() == "True");

    private static string JobStatus(JsonObject job)
    {
        if (HasCondition(job, "Complete"))
            return "Complete";
        if (HasCondition(job, "Failed"))
            return "Failed";
        if (job.IsDeleting())
            return "Terminating";
        if (HasCondition(job, "Suspended"))
            return "Suspended";
        if (HasCondition(job, "FailureTarget"))
            return "FailureTarget";
        return HasCondition(job, "SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
    }

    private static string JobCompletions(JsonObject job)
    {
        var succeeded = job.At("status", "succeeded").AsLong() ?? 0;
        if (job.At("spec", "completions").AsLong() is { } completions)
            return $"{succeeded}/{completions}";
        var parallelism = job.At("spec", "parallelism").AsLong() ?? 0;
        return parallelism > 1 ? $"{succeeded}/1 of {parallelism}" : $"{succeeded}/1";
    }

    private static string JobDuration(JsonObject job, TimeProvider time)
    {
        if (job.At("status", "startTime").AsTime() is not { } start)
            return "";
        var failed = job.At("status", "conditions").Objects()
            .FirstOrDefault(c => c["type"].AsString() == "Failed" && c["status"].AsString() == "True")?["lastTransitionTime"];
        var end = (job.At("status", "completionTime") ?? failed).AsTime() ?? time.GetUtcNow();
        return HumanDuration.Format(end - start);
    }

    private static string AccessModes(JsonNode? modes) => string.Join(",", modes.Strings().Select(mode => mode switch
    {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => mode,
    }));
}
