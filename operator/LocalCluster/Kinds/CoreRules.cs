using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Defaults and checks of Services, claims, namespaces, ConfigMaps, Secrets and roles.</summary>
internal static partial class CoreRules
{
    private const int MaxDataBytes = 1024 * 1024;
    private const string BadKey = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or " +
        "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    private const string ClaimFinalizer = "kubernetes.io/pvc-protection";

    public const string NamespaceFinalizer = "kubernetes";

    public static KindRules Namespaces { get; } = new()
    {
        Default = ns => ns.Metadata().Child("labels")["kubernetes.io/metadata.name"] = ns.Name(),
        OnCreate = (ns, _) =>
        {
            ns.Child("spec")["finalizers"] = new JsonArray(NamespaceFinalizer);
            ns["status"] = new JsonObject { ["phase"] = "Active" };
        },
        OnUpdate = (ns, old) => ns.Child("spec")["finalizers"] = old.At("spec", "finalizers")?.DeepClone(),
    };

    public static KindRules Services { get; } = new()
    {
        Default = DefaultService,
        OnCreate = AllocateAddress,
        OnUpdate = (service, old) =>
        {
            foreach (var field in (string[])["clusterIP", "clusterIPs"])
            {
                if (service.At("spec", field) is null && service.At("spec", "type").AsString() != "ExternalName")
                    service.Child("spec")[field] = old.At("spec", field)?.DeepClone();
            }
        },
        Validate = ValidateService,
        ValidateUpdate = (service, old, errors) =>
        {
            if (old.At("spec", "clusterIP").AsString() is { Length: > 0 } before && service.At("spec", "clusterIP").AsString() != before
                && service.At("spec", "type").AsString() != "ExternalName")
                errors.Add(
                    FieldError.Invalid("spec.clusterIPs[0]", service.At("spec", "clusterIP")?.DeepClone(), "may not change once set"));
        },
    };

    public static KindRules PersistentVolumeClaims { get; } = new()
    {
        Default = claim => claim.Child("spec").SetDefault("volumeMode", "Filesystem"),
        OnCreate = (claim, _) =>
        {
            claim["status"] = new JsonObject { ["phase"] = "Pending" };
            // Admission plug-in StorageObjectInUseProtection: it is removed when no pod uses the claim.
            if (!claim.Finalizers().Contains(ClaimFinalizer))
                claim.Metadata()["finalizers"] = claim.Finalizers().Append(ClaimFinalizer).ToJsonArray();
        },
        Validate = (claim, errors) =>
        {
            if (claim.At("spec", "accessModes") is not JsonArray { Count: > 0 })
                errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
            if (claim.At("spec", "resources", "requests", "storage") is null)
                errors.Add(FieldError.Required("spec.resources[storage]"));
        },
        ValidateUpdate = (claim, old, errors) =>
        {
            var (now, before) = (ClaimIdentity(claim), ClaimIdentity(old));
            if (!JsonNode.DeepEquals(now, before))
                errors.Add(FieldError.Forbidden("spec",
                    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
        },
    };

    public static KindRules PersistentVolumes { get; } = new()
    {
        Default = volume =>
        {
            volume.Child("spec").SetDefault("persistentVolumeReclaimPolicy", "Retain");
            volume.Child("spec").SetDefault("volumeMode", "Filesystem");
        },
        OnCreate = (volume, _) => volume["status"] = new JsonObject { ["phase"] = "Pending" },
    };

    public static KindRules ConfigMaps { get; } = new()
    {
        Validate = (map, errors) => ValidateData(map, ["data", "binaryData"], errors),
        ValidateUpdate = RefuseChangeOfImmutable,
    };

    public static KindRules Secrets { get; } = new()
    {
        Default = secret =>
        {
            secret.SetDefault("type", "Opaque");
            if (secret["stringData"] is not JsonObject texts)
                return;
            foreach (var (key, text) in texts)
                secret.Child("data")[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text.AsString() ?? ""));
            secret.Remove("stringData");
        },
        Validate = (secret, errors) => ValidateData(secret, ["data"], errors),
        ValidateUpdate = (secret, old, errors) =>
        {
            if (secret["type"].AsString() != old["type"].AsString())
                errors.Add(FieldError.Invalid("type", secret["type"]?.DeepClone(), "field is immutable"));
            RefuseChangeOfImmutable(secret, old, errors);
        },
    };

    public static KindRules RoleBindings { get; } = new()
    {
        Default = binding =>
        {
            (binding["roleRef"] as JsonObject)?.SetDefault("apiGroup", "rbac.authorization.k8s.io");
            foreach (var subject in binding["subjects"].Objects())
                subject.SetDefault("apiGroup", subject["kind"].AsString() == "ServiceAccount" ? "" : "rbac.authorization.k8s.io");
        },
        ValidateUpdate = (binding, old, errors) =>
        {
            if (!JsonNode.DeepEquals(binding["roleRef"], old["roleRef"]))
                errors.Add(FieldError.Invalid("roleRef", binding["roleRef"]?.DeepClone(), "cannot change roleRef"));
        },
    };

    public static KindRules StorageClasses { get; } = new()
    {
        Default = storage =>
        {
            storage.SetDefault("reclaimPolicy", "Delete");
            storage.SetDefault("volumeBindingMode", "Immediate");
        },
    };

    private static void DefaultService(JsonObject service)
    {
        var spec = service.Child("spec");
        spec.SetDefault("type", "ClusterIP");
        spec.SetDefault("sessionAffinity", "None");
        if (spec["type"].AsString() != "ExternalName")
        {
            spec.SetDefault("ipFamilyPolicy", "SingleStack");
            spec.SetDefault("ipFamilies", new JsonArray("IPv4"));
            spec.SetDefault("internalTrafficPolicy", "Cluster");
        }
        foreach (var port in spec["ports"].Objects())
        {
            port.SetDefault("protocol", "TCP");
            port.SetDefault("targetPort", port["port"]?.DeepClone());
        }
    }

    private static void AllocateAddress(JsonObject service, RuleContext context)
    {
        service["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        var spec = service.Child("spec");
        if (spec["type"].AsString() == "ExternalName")
            return;
        if (spec["clusterIP"].AsString() is not { Length: > 0 })
            spec["clusterIP"] = Enumerable.Range(1, 4096).Select(context.ServiceAddress)
                .First(address => !context.IsServiceAddressTaken(address));
        spec["clusterIPs"] = new JsonArray(spec["clusterIP"].AsString());
    }

    private static void ValidateService(JsonObject service, List<FieldError> errors)
    {
        var types = (string[])["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        if (!types.Contains(service.At("spec", "type").AsString()))
            errors.Add(FieldError.NotSupported("spec.type", service.At("spec", "type")?.DeepClone(), types));
        var ports = service.At("spec", "ports").Objects().ToList();
        if (ports.Count == 0 && service.At("spec", "type").AsString() != "ExternalName"
            && service.At("spec", "clusterIP").AsString() != "None")
            errors.Add(FieldError.Required("spec.ports"));
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i]["port"].AsLong() is not (> 0 and < 65536))
                errors.Add(
                    FieldError.Invalid($"spec.ports[{i}].port", ports[i]["port"]?.DeepClone(), "must be between 1 and 65535, inclusive"));
            if (ports.Count > 1 && ports[i]["name"].AsString() is not { Length: > 0 })
                errors.Add(FieldError.Required($"spec.ports[{i}].name"));
        }
    }

    private static JsonObject ClaimIdentity(JsonObject claim)
    {
        var spec = (JsonObject)(claim["spec"]?.DeepClone() ?? new JsonObject());
        foreach (var free in (string[])["resources", "volumeAttributesClassName", "volumeName"])
            spec.Remove(free);
        return spec;
    }

    private static void ValidateData(JsonObject obj, IReadOnlyList<string> fields, List<FieldError> errors)
    {
        var size = 0L;
        foreach (var field in fields)
        {
            foreach (var (key, value) in obj[field] as JsonObject ?? [])
            {
                size += Encoding.UTF8.GetByteCount(value.AsString() ?? "");
                if (!DataKey().IsMatch(key) || key is "." or "..")
                    errors.Add(FieldError.Invalid($"{field}[{key}]", key, BadKey));
            }
        }
        if (size > MaxDataBytes)
            errors.Add(FieldError.TooLong("", MaxDataBytes));
    }

    [GeneratedRegex("^[-._a-zA-Z0-9]{1,253}$")]
    private static partial Regex DataKey();

    private static void RefuseChangeOfImmutable(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (!old["immutable"].AsBool())
            return;
        foreach (var field in (string[])["data", "binaryData", "immutable"])
        {
            if (!JsonNode.DeepEquals(obj[field], old[field]))
                errors.Add(FieldError.Forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
}
