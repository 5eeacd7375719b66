using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>The columns of <c>kubectl get</c> for the built-in kinds, named, ordered and filled as the real server does.</summary>
internal static class PrinterColumns
{
    public static PrinterColumn Name { get; } = new("Name", "string", (obj, _) => obj.Name(), Format: "name");

    public static PrinterColumn Age { get; } =
        new("Age", "string", (obj, time) => HumanDuration.Since(obj.At("metadata", "creationTimestamp"), time));

    public static IReadOnlyList<PrinterColumn> NameAndAge { get; } = [Name, Age];

    public static IReadOnlyList<PrinterColumn> Namespaces { get; } = [Name, Text("Status", o => o.At("status", "phase").AsString()), Age];

    public static IReadOnlyList<PrinterColumn> ConfigMaps { get; } =
        [Name, new("Data", "string", (o, _) => Count(o["data"]) + Count(o["binaryData"])), Age];

    public static IReadOnlyList<PrinterColumn> Secrets { get; } =
        [Name, Text("Type", o => o["type"].AsString()), new("Data", "string", (o, _) => Count(o["data"])), Age];

    public static IReadOnlyList<PrinterColumn> ServiceAccounts { get; } =
        [Name, new("Secrets", "string", (o, _) => o["secrets"].Objects().Count()), Age];

    public static IReadOnlyList<PrinterColumn> PodDisruptionBudgets { get; } =
    [
        Name,
        Text("Min Available", o => o.At("spec", "minAvailable").AsText() ?? "N/A"),
        Text("Max Unavailable", o => o.At("spec", "maxUnavailable").AsText() ?? "N/A"),
        Number("Allowed Disruptions", "status", "disruptionsAllowed"),
        Age,
    ];

    public static IReadOnlyList<PrinterColumn> Leases { get; } =
        [Name, Text("Holder", o => o.At("spec", "holderIdentity").AsString()), Age];

    public static IReadOnlyList<PrinterColumn> CreatedAt { get; } =
        [Name, new("Created At", "date", (o, _) => o.At("metadata", "creationTimestamp").AsString())];

    public static IReadOnlyList<PrinterColumn> RoleBindings { get; } =
    [
        Name,
        Text("Role", o => $"{o.At("roleRef", "kind").AsString()}/{o.At("roleRef", "name").AsString()}"),
        Age,
        Text("Users", o => Subjects(o, "User"), 1),
        Text("Groups", o => Subjects(o, "Group"), 1),
        Text("ServiceAccounts", o => Subjects(o, "ServiceAccount"), 1),
    ];

    public static IReadOnlyList<PrinterColumn> StorageClasses { get; } =
    [
        Name,
        Text("Provisioner", o => o["provisioner"].AsString()),
        Text("ReclaimPolicy", o => o["reclaimPolicy"].AsString()),
        Text("VolumeBindingMode", o => o["volumeBindingMode"].AsString()),
        new("AllowVolumeExpansion", "string", (o, _) => o["allowVolumeExpansion"].AsBool()),
        Age,
    ];

    public static IReadOnlyList<PrinterColumn> Endpoints { get; } = [Name, Text("Endpoints", EndpointList), Age];

    public static IReadOnlyList<PrinterColumn> EndpointSlices { get; } =
    [
        Name,
        Text("AddressType", o => o["addressType"].AsString()),
        Text("Ports", o => Join(o["ports"].Objects().Select(p => p["port"].AsText()), "<unset>")),
        Text("Endpoints", o => Join(o["endpoints"].Objects().SelectMany(e => e["addresses"].Strings()), "<unset>")),
        Age,
    ];

    public static IReadOnlyList<PrinterColumn> Events { get; } =
    [
        new("Last Seen", "string", (o, time) => HumanDuration.Since(
            o.At("series", "lastObservedTime") ?? o["lastTimestamp"] ?? o["eventTime"] ?? o.At("metadata", "creationTimestamp"), time)),
        Text("Type", o => o["type"].AsString()),
        Text("Reason", o => o["reason"].AsString()),
        Text("Object", o => $"{o.At("involvedObject", "kind").AsString()?.ToLowerInvariant()}/{o.At("involvedObject", "name").AsString()}"),
        Text("Subobject", o => o.At("involvedObject", "fieldPath").AsString(), 1),
        Text("Source", EventSource, 1),
        Text("Message", o => o["message"].AsString()?.Trim()),
        new("First Seen", "string", (o, time) => HumanDuration.Since(
            o["firstTimestamp"] ?? o["eventTime"] ?? o.At("metadata", "creationTimestamp"), time), 1),
        new("Count", "string", (o, _) => o.At("series", "count").AsLong() ?? o["count"].AsLong() ?? 1, 1),
        new("Name", "string", (o, _) => o.Name(), 1),
    ];

    public static IReadOnlyList<PrinterColumn> Nodes { get; } =
    [
        Name,
        Text("Status", NodeStatus),
        Text("Roles", o => Join(o.Labels().Keys.Where(k => k.StartsWith("node-role.kubernetes.io/", StringComparison.Ordinal))
            .Select(k => k["node-role.kubernetes.io/".Length..]).Order(StringComparer.Ordinal))),
        Age,
        Text("Version", o => o.At("status", "nodeInfo", "kubeletVersion").AsString()),
        Text("Internal-IP", o => NodeAddress(o, "InternalIP"), 1),
        Text("External-IP", o => NodeAddress(o, "ExternalIP"), 1),
        Text("OS-Image", o => o.At("status", "nodeInfo", "osImage").AsString() ?? "<unknown>", 1),
        Text("Kernel-Version", o => o.At("status", "nodeInfo", "kernelVersion").AsString() ?? "<unknown>", 1),
        Text("Container-Runtime", o => o.At("status", "nodeInfo", "containerRuntimeVersion").AsString() ?? "<unknown>", 1),
    ];

    /// <summary>A column of text; null is an empty cell.</summary>
    public static PrinterColumn Text(string name, Func<JsonObject, string?> value, int priority = 0) =>
        new(name, "string", (obj, _) => value(obj) ?? "", priority);

    /// <summary>A column of a whole number; absent is 0.</summary>
    public static PrinterColumn Number(string name, params string[] path) => new(name, "string", (obj, _) => obj.At(path).AsLong() ?? 0);

    /// <summary>The parts that are not empty, or <paramref name="none"/>.</summary>
    public static string Join(IEnumerable<string?> parts, string none = "<none>", string separator = ",")
    {
        var joined = string.Join(separator, parts.Where(part => !string.IsNullOrEmpty(part)));
        return joined.Length == 0 ? none : joined;
    }

    /// <summary>A label selector in the form of a query: <c>app=x,tier in (a,b)</c>.</summary>
    public static string Selector(JsonNode? selector)
    {
        var labels = (selector.At("matchLabels") as JsonObject ?? []).Select(p => $"{p.Key}={p.Value.AsString()}")
            .Order(StringComparer.Ordinal);
        var expressions = selector.At("matchExpressions").Objects().Select(e => e["operator"].AsString() switch
        {
            "In" => $"{e["key"].AsString()} in ({string.Join(",", e["values"].Strings())})",
            "NotIn" => $"{e["key"].AsString()} notin ({string.Join(",", e["values"].Strings())})",
            "Exists" => e["key"].AsString(),
            _ => $"!{e["key"].AsString()}",
        });
        return Join(labels.Concat(expressions));
    }

    private static string EventSource(JsonObject e) =>
        Join([e.At("source", "component").AsString() ?? e["reportingComponent"].AsString(), e.At("source", "host").AsString()], "", ", ");

    private static int Count(JsonNode? map) => (map as JsonObject)?.Count ?? 0;

    private static string Subjects(JsonObject binding, string kind) => Join(
        binding["subjects"].Objects().Where(s => s["kind"].AsString() == kind)
            .Select(s => kind == "ServiceAccount" ? $"{s["namespace"].AsString()}/{s["name"].AsString()}" : s["name"].AsString()), "",
                ", ");

    private static string EndpointList(JsonObject endpoints) => Join(
        from subset in endpoints["subsets"].Objects()
        from address in subset["addresses"].Objects()
        from port in subset["ports"].Objects()
        select $"{address["ip"].AsString()}:{port["port"].AsText()}");

    private static string NodeAddress(JsonObject node, string type) =>
        node.At("status", "addresses").Objects().FirstOrDefault(a => a["type"].AsString() == type)?["address"].AsString() ?? "<none>";

    private static string NodeStatus(JsonObject node)
    {
        var ready = node.At("status", "conditions").Objects().FirstOrDefault(c => c["type"].AsString() == "Ready");
        var status = ready is null ? "Unknown" : ready["status"].AsString() == "True" ? "Ready" : "NotReady";
        return node.At("spec", "unschedulable").AsBool() ? status + ",SchedulingDisabled" : status;
    }
}
