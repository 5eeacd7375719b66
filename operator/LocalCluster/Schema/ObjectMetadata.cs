using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>Which names a kind permits.</summary>
internal enum NameRule
{
    /// <summary>DNS-1123 subdomain, at most 253 characters: most kinds.</summary>
    Subdomain,

    /// <summary>DNS-1123 label, at most 63 characters: namespaces.</summary>
    Label,

    /// <summary>DNS-1035 label, at most 63 characters: services.</summary>
    Label1035,

    /// <summary>Anything that can stand in a path: RBAC kinds.</summary>
    PathSegment,
}

/// <summary>Validates <c>metadata</c>. Members of the wrong type are <see cref="SchemaValidator"/>'s to report; here they are skipped.</summary>
internal static class ObjectMetadata
{
    private const int MaxAnnotationBytes = 256 * 1024;
    private const string Immutable = "field is immutable";

    /// <summary>Checks name, generateName, namespace, labels, annotations, finalizers and owner references of a complete object.</summary>
    /// <param name="value">The object, its name generated already where generateName asks for that.</param>
    /// <param name="namespaced">Whether the kind lives in namespaces.</param>
    /// <param name="rule">The names that the kind permits.</param>
    public static IReadOnlyList<FieldError> Validate(JsonObject value, bool namespaced, NameRule rule)
    {
        var errors = new List<FieldError>();
        var metadata = value["metadata"] as JsonObject ?? [];
        CheckNames(metadata, namespaced, rule, errors);
        CheckLabels(metadata["labels"] as JsonObject, "metadata.labels", errors);
        CheckAnnotations(metadata["annotations"] as JsonObject, errors);
        CheckFinalizers(metadata["finalizers"] as JsonArray, errors);
        CheckOwners(metadata["ownerReferences"] as JsonArray, errors);
        return errors;
    }

    /// <summary>Checks what may not change, and that no finalizer is added to an object that is being deleted.</summary>
    public static IReadOnlyList<FieldError> ValidateUpdate(JsonObject value, JsonObject old)
    {
        var errors = new List<FieldError>();
        var (now, before) = (value["metadata"] as JsonObject ?? [], old["metadata"] as JsonObject ?? []);
        foreach (var name in new[] { "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds" })
        {
            if (!JsonEquality.Same(now[name], before[name]))
            {
                errors.Add(FieldError.Invalid("metadata." + name, now[name]?.DeepClone(), Immutable));
            }
        }
        if (before["deletionTimestamp"] is not null)
        {
            var had = Texts(before["finalizers"]).ToHashSet(StringComparer.Ordinal);
            var added = Texts(now["finalizers"]).Where(f => !had.Contains(f)).ToList();
            if (added.Count > 0)
            {
                var list = string.Join(", ", added.Select(GoText.Quote));
                errors.Add(FieldError.Forbidden(
                    "metadata.finalizers",
                    $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"));
            }
        }
        return errors;
    }

    /// <summary>Checks labels; also those of pod templates and selectors, whose path differs.</summary>
    public static void CheckLabels(JsonObject? labels, string path, List<FieldError> errors)
    {
        foreach (var (key, node) in labels ?? [])
        {
            errors.AddRange(NameChecks.QualifiedName(key).Select(e => FieldError.Invalid(path, key, e)));
            if (Text(node) is { } label)
            {
                errors.AddRange(NameChecks.LabelValue(label).Select(e => FieldError.Invalid(path, label, e)));
            }
        }
    }

    private static void CheckNames(JsonObject metadata, bool namespaced, NameRule rule, List<FieldError> errors)
    {
        if (Text(metadata["generateName"]) is { Length: > 0 } prefix)
        {
            errors.AddRange(NameChecks.Name(prefix, rule, isPrefix: true).Select(e => FieldError.Invalid("metadata.generateName", prefix, e)));
        }
        if (Text(metadata["name"]) is { Length: > 0 } name)
        {
            errors.AddRange(NameChecks.Name(name, rule, isPrefix: false).Select(e => FieldError.Invalid("metadata.name", name, e)));
        }
        else
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
        }
        var place = Text(metadata["namespace"]) ?? "";
        if (!namespaced)
        {
            if (place.Length > 0)
            {
                errors.Add(FieldError.Forbidden("metadata.namespace", "not allowed on this type"));
            }
        }
        else if (place.Length == 0)
        {
            errors.Add(FieldError.Required("metadata.namespace"));
        }
        else
        {
            var faults = NameChecks.Name(place, NameRule.Label, isPrefix: false);
            errors.AddRange(faults.Select(e => FieldError.Invalid("metadata.namespace", place, e)));
        }
    }

    private static void CheckAnnotations(JsonObject? annotations, List<FieldError> errors)
    {
        long size = 0;
        foreach (var (key, value) in annotations ?? [])
        {
            // Keys of annotations may have capitals in their prefix, for old clients.
            errors.AddRange(NameChecks.QualifiedName(key.ToLowerInvariant()).Select(e => FieldError.Invalid("metadata.annotations", key, e)));
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(Text(value) ?? "");
        }
        if (size > MaxAnnotationBytes)
        {
            errors.Add(FieldError.TooLong("metadata.annotations", MaxAnnotationBytes));
        }
    }

    private static void CheckFinalizers(JsonArray? finalizers, List<FieldError> errors)
    {
        var names = Texts(finalizers).ToList();
        foreach (var name in names)
        {
            errors.AddRange(NameChecks.QualifiedName(name).Select(e => FieldError.Invalid("metadata.finalizers", name, e)));
            if (!name.Contains('/') && name is not ("orphan" or "foregroundDeletion" or "kubernetes" or "customresourcecleanup.apiextensions.k8s.io"))
            {
                errors.Add(FieldError.Invalid(
                    "metadata.finalizers", name, "name is neither a standard finalizer name nor is it fully qualified"));
            }
        }
        if (names.Contains("orphan") && names.Contains("foregroundDeletion"))
        {
            errors.Add(FieldError.Invalid(
                "metadata.finalizers",
                finalizers!.DeepClone(),
                "finalizer orphan and foregroundDeletion cannot be both set"));
        }
    }

    private static void CheckOwners(JsonArray? owners, List<FieldError> errors)
    {
        string? controller = null;
        foreach (var owner in (owners ?? []).OfType<JsonObject>())
        {
            foreach (var (name, what) in new[] { ("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid") })
            {
                if (string.IsNullOrEmpty(Text(owner[name])))
                {
                    errors.Add(FieldError.Invalid("metadata.ownerReferences." + name, Text(owner[name]) ?? "", $"{what} must not be empty"));
                }
            }
            if (JsonEquality.KindOf(owner["controller"]) != JsonValueKind.True)
            {
                continue;
            }
            var ownerName = Text(owner["name"]) ?? "";
            if (controller is not null)
            {
                errors.Add(FieldError.Invalid(
                    "metadata.ownerReferences",
                    owners!.DeepClone(),
                    $"Only one reference can have Controller set to true. Found \"true\" in references for {controller} and {ownerName}"));
            }
            controller = ownerName;
        }
    }

    private static IEnumerable<string> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(Text).OfType<string>();

    private static string? Text(JsonNode? node) =>
        node is not null && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
