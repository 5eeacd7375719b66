using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Defaults and checks of pods and of the pod templates of other kinds (k8s.io/kubernetes pkg/apis/core/v1 defaults).</summary>
internal static class PodRules
{
    public static KindRules Rules { get; } = new()
    {
        Default = pod => DefaultSpec(pod.Child("spec")),
        OnCreate = (pod, _) =>
        {
            pod["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = QosClass(pod.Child("spec")) };
            var spec = pod.Child("spec");
            spec.SetDefault("serviceAccountName", "default");
            spec.SetDefault("serviceAccount", spec["serviceAccountName"].AsString());
            spec.SetDefault("priority", 0);
            spec.SetDefault("preemptionPolicy", "PreemptLowerPriority");
            spec.SetDefault("enableServiceLinks", true);
            AddTolerations(spec);
        },
        Validate = (pod, errors) => ValidateSpec(pod["spec"] as JsonObject, "spec", errors),
        ValidateUpdate = ValidateUpdate,
    };

    public static void DefaultSpec(JsonObject spec)
    {
        spec.SetDefault("restartPolicy", "Always");
        spec.SetDefault("terminationGracePeriodSeconds", 30);
        spec.SetDefault("dnsPolicy", "ClusterFirst");
        spec.SetDefault("securityContext", new JsonObject());
        spec.SetDefault("schedulerName", "default-scheduler");
        if (spec["serviceAccountName"].AsString() is { Length: > 0 } account)
            spec.SetDefault("serviceAccount", account);
        foreach (var container in spec["initContainers"].Objects().Concat(spec["containers"].Objects()))
            DefaultContainer(container);
        foreach (var volume in spec["volumes"].Objects())
            DefaultVolume(volume);
    }

    public static void ValidateSpec(JsonObject? spec, string path, List<FieldError> errors)
    {
        if (spec?["containers"] is not JsonArray { Count: > 0 })
            errors.Add(FieldError.Required($"{path}.containers"));
        if (spec?["restartPolicy"].AsString() is { Length: > 0 } policy and not ("Always" or "OnFailure" or "Never"))
            errors.Add(FieldError.NotSupported($"{path}.restartPolicy", policy, ["Always", "Never", "OnFailure"]));
        if (spec?["activeDeadlineSeconds"].AsLong() is <= 0 or > int.MaxValue)
        {
            errors.Add(FieldError.Invalid($"{path}.activeDeadlineSeconds", spec["activeDeadlineSeconds"]!.DeepClone(),
                "must be between 1 and 2147483647, inclusive"));
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in (string[])["initContainers", "containers"])
        {
            var index = 0;
            foreach (var container in spec?[list].Objects() ?? [])
                ValidateContainer(container, $"{path}.{list}[{index++}]", names, errors);
        }
        var volumes = spec?["volumes"].Objects().Select(v => v["name"].AsString()).ToHashSet() ?? [];
        foreach (var list in (string[])["initContainers", "containers"])
        {
            foreach (var (container, c) in (spec?[list].Objects() ?? []).Select((container, c) => (container, c)))
            {
                foreach (var (mount, m) in container["volumeMounts"].Objects().Select((mount, m) => (mount, m)))
                {
                    if (!volumes.Contains(mount["name"].AsString()))
                        errors.Add(new FieldError(FieldErrorType.NotFound, $"{path}.{list}[{c}].volumeMounts[{m}].name",
                            mount["name"]?.DeepClone(), ""));
                }
            }
        }
    }

    private static void ValidateContainer(JsonObject container, string path, HashSet<string> names, List<FieldError> errors)
    {
        if (container["name"].AsString() is not { Length: > 0 } name)
            errors.Add(FieldError.Required($"{path}.name"));
        else if (!names.Add(name))
            errors.Add(FieldError.Duplicate($"{path}.name", name));
        if (container["image"].AsString() is not { Length: > 0 })
            errors.Add(FieldError.Required($"{path}.image"));
        var isInit = path.Contains(".initContainers[", StringComparison.Ordinal);
        ContainerRules.Validate(container, path, !isInit || container["restartPolicy"].AsString() == "Always", errors);
        foreach (var (port, index) in container["ports"].Objects().Select((port, index) => (port, index)))
        {
            if (port["containerPort"].AsLong() is not (> 0 and < 65536))
                errors.Add(FieldError.Invalid($"{path}.ports[{index}].containerPort", port["containerPort"]?.DeepClone(),
                    "must be between 1 and 65535, inclusive"));
        }
    }

    private static void DefaultContainer(JsonObject container)
    {
        container.SetDefault("terminationMessagePath", "/dev/termination-log");
        container.SetDefault("terminationMessagePolicy", "File");
        container.SetDefault("resources", new JsonObject());
        var image = container["image"].AsString() ?? "";
        var tag = image[(image.LastIndexOf('/') + 1)..];
        container.SetDefault("imagePullPolicy", tag.Contains('@', StringComparison.Ordinal)
            || (tag.Contains(':', StringComparison.Ordinal) && !tag.EndsWith(":latest", StringComparison.Ordinal))
            ? "IfNotPresent" : "Always");
        foreach (var port in container["ports"].Objects())
            port.SetDefault("protocol", "TCP");
        foreach (var env in container["env"].Objects())
            (env.At("valueFrom", "fieldRef") as JsonObject)?.SetDefault("apiVersion", "v1");
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
            DefaultProbe(container[probe] as JsonObject);
        if (container.At("resources", "limits") is JsonObject limits)
        {
            var requests = container.Child("resources").Child("requests");
            foreach (var (resource, quantity) in limits)
                requests.SetDefault(resource, quantity?.DeepClone());
        }
    }

    private static void DefaultProbe(JsonObject? probe)
    {
        if (probe is null)
            return;
        probe.SetDefault("timeoutSeconds", 1);
        probe.SetDefault("periodSeconds", 10);
        probe.SetDefault("successThreshold", 1);
        probe.SetDefault("failureThreshold", 3);
        if (probe["httpGet"] is JsonObject http)
        {
            http.SetDefault("path", "/");
            http.SetDefault("scheme", "HTTP");
        }
    }

    private static void DefaultVolume(JsonObject volume)
    {
        foreach (var source in (string[])["configMap", "secret", "downwardAPI", "projected"])
            (volume[source] as JsonObject)?.SetDefault("defaultMode", 420);
        (volume["hostPath"] as JsonObject)?.SetDefault("type", "");
        if (!volume.Any(member => member.Key != "name"))
            volume["emptyDir"] = new JsonObject();
    }

    /// <summary>A pod's spec stands but for what the real server lets change: images, deadline, tolerations and scheduling.</summary>
    private static void ValidateUpdate(JsonObject pod, JsonObject old, List<FieldError> errors)
    {
        var (now, before) = (Comparable(pod), Comparable(old));
        if (!JsonNode.DeepEquals(now, before))
            errors.Add(FieldError.Forbidden("spec",
                "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
                "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
    }

    private static readonly string[] FreeFields =
        ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"];

    private static JsonObject Comparable(JsonObject pod)
    {
        var spec = (JsonObject)(pod["spec"]?.DeepClone() ?? new JsonObject());
        foreach (var free in FreeFields)
            spec.Remove(free);
        foreach (var container in spec["initContainers"].Objects().Concat(spec["containers"].Objects()))
            container.Remove("image");
        return spec;
    }

    /// <summary>Pods stay for five minutes on a node that is not heard of (the DefaultTolerationSeconds admission plug-in).</summary>
    private static void AddTolerations(JsonObject spec)
    {
        var given = spec["tolerations"].Objects().ToList();
        foreach (var key in (string[])["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
        {
            if (given.Any(t => (t["key"].AsString() ?? "") is var own && (own.Length == 0 || own == key) && t["effect"].AsString() is null or "" or "NoExecute"))
                continue;
            if (spec["tolerations"] is not JsonArray tolerations)
                spec["tolerations"] = tolerations = [];
            tolerations.Add(new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300 });
        }
    }

    private static string QosClass(JsonObject spec)
    {
        var resources = spec["containers"].Objects().Select(c => c["resources"]).ToList();
        if (resources.All(r => r.At("limits") is not JsonObject { Count: > 0 } && r.At("requests") is not JsonObject { Count: > 0 }))
            return "BestEffort";
        var guaranteed = resources.All(r => ((string[])["cpu", "memory"]).All(name =>
            r.At("limits", name) is { } limit && JsonNode.DeepEquals(limit, r.At("requests", name))));
        return guaranteed ? "Guaranteed" : "Burstable";
    }
}
