using System.Text.Json.Nodes;
using Graft.LocalCluster.Cel;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Defaults and checks of CustomResourceDefinitions: a definition that is accepted here can be served.</summary>
internal static class DefinitionRules
{
    /// <summary>Holds a definition until the last object of its kind is gone.</summary>
    public const string CleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    public static KindRules Rules { get; } = new()
    {
        Default = Default,
        OnCreate = (definition, context) =>
        {
            definition.Metadata()["finalizers"] = definition.Finalizers().Append(CleanupFinalizer).Distinct().ToJsonArray();
            definition["status"] = Accepted(definition, context.Time.GetUtcNow().ToTimestamp());
        },
        OnUpdate = (definition, old) =>
        {
            if (definition["status"] is not JsonObject status)
                return;
            status["acceptedNames"] = definition.At("spec", "names")?.DeepClone();
            status["storedVersions"] = old.At("status", "storedVersions").Strings()
                .Append(StorageVersion(definition)).OfType<string>().Distinct().ToJsonArray();
        },
        Validate = Validate,
        ValidateUpdate = (definition, old, errors) =>
        {
            foreach (var path in (string[][])[["spec", "group"], ["spec", "scope"], ["spec", "names", "kind"], ["spec", "names", "plural"]])
            {
                if (!JsonNode.DeepEquals(definition.At(path), old.At(path)))
                    errors.Add(FieldError.Invalid(string.Join('.', path), definition.At(path)?.DeepClone(), "field is immutable"));
            }
        },
    };

    private static void Default(JsonObject definition)
    {
        var names = definition.Child("spec").Child("names");
        if (names["kind"].AsString() is { } kind)
        {
            names.SetDefault("singular", kind.ToLowerInvariant());
            names.SetDefault("listKind", kind + "List");
        }
        definition.Child("spec").SetDefault("conversion", new JsonObject { ["strategy"] = "None" });
    }

    private static JsonObject Accepted(JsonObject definition, string now) => new()
    {
        ["conditions"] = new JsonArray(
            Condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            Condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now)),
        ["acceptedNames"] = definition.At("spec", "names")?.DeepClone(),
        ["storedVersions"] = new JsonArray(StorageVersion(definition)),
    };

    private static JsonObject Condition(string type, string reason, string message, string now) => new()
    {
        ["type"] = type,
        ["status"] = "True",
        ["lastTransitionTime"] = now,
        ["reason"] = reason,
        ["message"] = message,
    };

    private static string? StorageVersion(JsonObject definition) =>
        definition.At("spec", "versions").Objects().FirstOrDefault(version => version["storage"].AsBool())?["name"].AsString();

    private static void Validate(JsonObject definition, List<FieldError> errors)
    {
        var spec = definition["spec"];
        var expected = $"{spec.At("names", "plural").AsString()}.{spec.At("group").AsString()}";
        if (definition.Name() != expected)
            errors.Add(FieldError.Invalid("metadata.name", definition.Name(),
                $"must be spec.names.plural+\".\"+spec.group, that is \"{expected}\""));
        foreach (var path in (string[][])[["group"], ["scope"], ["names", "kind"], ["names", "plural"]])
        {
            if (spec.At(path).AsString() is not { Length: > 0 })
                errors.Add(FieldError.Required("spec." + string.Join('.', path)));
        }
        if (spec.At("scope").AsString() is not ("Namespaced" or "Cluster"))
            errors.Add(FieldError.NotSupported("spec.scope", spec.At("scope")?.DeepClone(), ["Cluster", "Namespaced"]));
        if (spec.At("conversion", "strategy").AsString() is not "None")
            errors.Add(FieldError.NotSupported("spec.conversion.strategy", spec.At("conversion", "strategy")?.DeepClone(), ["None"]));
        var versions = spec.At("versions").Objects().ToList();
        if (versions.Count(version => version["storage"].AsBool()) != 1)
            errors.Add(FieldError.Invalid("spec.versions", spec.At("versions")?.DeepClone(),
                "must have exactly one version marked as storage version"));
        for (var i = 0; i < versions.Count; i++)
            ValidateVersion(versions[i], $"spec.versions[{i}]", errors);
    }

    private static void ValidateVersion(JsonObject version, string path, List<FieldError> errors)
    {
        if (version.At("schema", "openAPIV3Schema") is not JsonObject schema)
        {
            errors.Add(FieldError.Required($"{path}.schema.openAPIV3Schema", "schemas are required"));
            return;
        }
        var type = StructuralSchema.Parse(schema, $"{path}.schema.openAPIV3Schema", out var faults);
        errors.AddRange(faults);
        if (type is not null)
        {
            CelRules.Compile(type, $"{path}.schema.openAPIV3Schema", out var ruleFaults);
            errors.AddRange(ruleFaults);
        }
        var index = 0;
        foreach (var column in version["additionalPrinterColumns"].Objects())
            CheckPath(column["jsonPath"].AsString() ?? "", $"{path}.additionalPrinterColumns[{index++}].jsonPath", errors);
        index = 0;
        foreach (var field in version["selectableFields"].Objects())
            CheckPath(field["jsonPath"].AsString() ?? "", $"{path}.selectableFields[{index++}].jsonPath", errors);
    }

    private static void CheckPath(string jsonPath, string field, List<FieldError> errors)
    {
        try
        {
            JsonPath.Parse(jsonPath);
        }
        catch (FormatException e)
        {
            errors.Add(FieldError.Invalid(field, jsonPath, e.Message));
        }
    }
}
