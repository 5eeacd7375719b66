using System.Globalization;

namespace Graft.LocalCluster.Schema;

/// <summary>What makes a schema structural: a type at every node, and nothing but value validation below allOf, anyOf, oneOf and not.</summary>
internal static class StructuralRules
{
    private enum Level
    {
        Root,
        Item,
        Field,
    }

    public static void CheckRoot(TypeSchema schema, string path, List<FieldError> errors)
    {
        Check(schema, Level.Root, path, errors);
        CheckComplete(schema, schema, path, errors);
    }

    private static void Check(TypeSchema schema, Level level, string path, List<FieldError> errors)
    {
        CheckType(schema, level, path, errors);
        CheckExtensions(schema, path, errors);
        if (schema.IsMap)
        {
            if (level == Level.Root)
            {
                errors.Add(FieldError.Forbidden($"{path}.additionalProperties", "must not be used at the root"));
            }
            if (schema.EmbeddedResource)
            {
                errors.Add(FieldError.Forbidden($"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set"));
            }
            if (schema.Properties.Count > 0)
            {
                errors.Add(FieldError.Forbidden(
                    $"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"));
            }
        }
        CheckMetadata(schema, level, path, errors);
        CheckJunctors(schema, path, errors);
        if (schema.Items is { } items)
        {
            Check(items, Level.Item, $"{path}.items", errors);
        }
        if (schema.AdditionalProperties is { } values)
        {
            Check(values, Level.Field, $"{path}.additionalProperties", errors);
        }
        foreach (var (name, property) in schema.Properties)
        {
            Check(property, Level.Field, $"{path}.properties[{name}]", errors);
        }
    }

    private static void CheckType(TypeSchema schema, Level level, string path, List<FieldError> errors)
    {
        if (schema is { Type: "array", Items: null })
        {
            errors.Add(FieldError.Required($"{path}.items", "must be specified"));
        }
        if (schema.EmbeddedResource && schema.Type != "object")
        {
            const string Detail = "must be object if x-kubernetes-embedded-resource is true";
            errors.Add(schema.Type is null
                ? FieldError.Required($"{path}.type", Detail)
                : FieldError.Invalid($"{path}.type", schema.Type, Detail));
        }
        else if (schema is { Type: null, IntOrString: false, PreserveUnknownFields: false })
        {
            errors.Add(FieldError.Required($"{path}.type", level switch
            {
                Level.Root => "must not be empty at the root",
                Level.Item => "must not be empty for specified array items",
                _ => "must not be empty for specified object fields",
            }));
        }
        if (level == Level.Root && schema.Type is not (null or "object"))
        {
            errors.Add(FieldError.Invalid($"{path}.type", schema.Type, "must be object at the root"));
        }
    }

    private static void CheckExtensions(TypeSchema schema, string path, List<FieldError> errors)
    {
        if (schema is { IntOrString: true, PreserveUnknownFields: true })
        {
            errors.Add(FieldError.Invalid(
                $"{path}.x-kubernetes-preserve-unknown-fields", true, "must be false if x-kubernetes-int-or-string is true"));
        }
        if (schema is { IntOrString: true, EmbeddedResource: true })
        {
            errors.Add(FieldError.Invalid(
                $"{path}.x-kubernetes-embedded-resource", true, "must be false if x-kubernetes-int-or-string is true"));
        }
        if (schema is { EmbeddedResource: true, PreserveUnknownFields: false, Properties.Count: 0 })
        {
            errors.Add(FieldError.Required(
                $"{path}.properties",
                "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
        }
        if (schema.MapType is { } mapType)
        {
            if (schema.Type != "object")
            {
                errors.Add(FieldError.Invalid($"{path}.type", schema.Type ?? "", "must be object if x-kubernetes-map-type is specified"));
            }
            if (mapType is not ("atomic" or "granular"))
            {
                errors.Add(FieldError.NotSupported($"{path}.x-kubernetes-map-type", mapType, ["atomic", "granular"]));
            }
        }
        ListTypeRules.Check(schema, path, errors);
    }

    private static void CheckMetadata(TypeSchema schema, Level level, string path, List<FieldError> errors)
    {
        if (level != Level.Root && !schema.EmbeddedResource)
        {
            return;
        }
        foreach (var name in new[] { "kind", "apiVersion" })
        {
            if (schema.Properties.TryGetValue(name, out var property) && property.Type != "string")
            {
                errors.Add(FieldError.Invalid($"{path}.properties[{name}].type", property.Type ?? "", "must be string"));
            }
        }
        if (!schema.Properties.TryGetValue("metadata", out var metadata))
        {
            return;
        }
        if (metadata.Type != "object")
        {
            errors.Add(FieldError.Invalid($"{path}.properties[metadata].type", metadata.Type ?? "", "must be object"));
        }
        var says = metadata.Properties.Keys.Except(["name", "generateName"]).Any() || metadata.IsMap || metadata.Required.Count > 0
            || metadata.PreserveUnknownFields || metadata.Validations.Count > 0 || metadata.MinProperties is not null;
        if (level == Level.Root && says)
        {
            errors.Add(FieldError.Forbidden(
                $"{path}.properties[metadata]",
                "must not specify anything other than name and generateName, but metadata is implicitly specified"));
        }
    }

    private static void CheckJunctors(TypeSchema schema, string path, List<FieldError> errors)
    {
        if (!IsIntOrString(schema.AnyOf))
        {
            CheckAllNested(schema.AnyOf, $"{path}.anyOf", errors);
        }
        for (var i = 0; i < schema.AllOf.Count; i++)
        {
            var part = schema.AllOf[i];
            var nested = i == 0 && IsIntOrString(part.AnyOf) ? part with { AnyOf = [] } : part;
            CheckNested(nested, string.Create(CultureInfo.InvariantCulture, $"{path}.allOf[{i}]"), errors);
        }
        CheckAllNested(schema.OneOf, $"{path}.oneOf", errors);
        if (schema.Not is { } not)
        {
            CheckNested(not, $"{path}.not", errors);
        }
    }

    /// <summary>The one pattern where types may stand below anyOf.</summary>
    private static bool IsIntOrString(IReadOnlyList<TypeSchema> anyOf) => anyOf is [{ Type: "integer" }, { Type: "string" }];

    private static void CheckAllNested(IReadOnlyList<TypeSchema> parts, string path, List<FieldError> errors)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            CheckNested(parts[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), errors);
        }
    }

    private static void CheckNested(TypeSchema schema, string path, List<FieldError> errors)
    {
        void Forbid(bool present, string name, string detail)
        {
            if (present)
            {
                errors.Add(FieldError.Forbidden($"{path}.{name}", detail));
            }
        }
        Forbid(schema.Type is not null, "type", "must be empty to be structural");
        Forbid(schema.IsMap, "additionalProperties", "must be undefined to be structural");
        Forbid(schema.HasDefault, "default", "must be undefined to be structural");
        Forbid(schema.Title is not null, "title", "must be empty to be structural");
        Forbid(schema.Description is not null, "description", "must be empty to be structural");
        Forbid(schema.Nullable, "nullable", "must be false to be structural");
        Forbid(schema.PreserveUnknownFields, "x-kubernetes-preserve-unknown-fields", "must be false to be structural");
        Forbid(schema.EmbeddedResource, "x-kubernetes-embedded-resource", "must be false to be structural");
        Forbid(schema.IntOrString, "x-kubernetes-int-or-string", "must be false to be structural");
        Forbid(schema.ListMapKeys.Count > 0, "x-kubernetes-list-map-keys", "must be empty to be structural");
        Forbid(schema.ListType is not null, "x-kubernetes-list-type", "must be undefined to be structural");
        Forbid(schema.MapType is not null, "x-kubernetes-map-type", "must be undefined to be structural");
        Forbid(schema.Validations.Count > 0, "x-kubernetes-validations", "must be empty to be structural");
        Forbid(schema.Properties.ContainsKey("metadata"), "properties[metadata]", "must not be specified in a nested context");
        CheckJunctors(schema, path, errors);
        if (schema.Items is { } items)
        {
            CheckNested(items, $"{path}.items", errors);
        }
        foreach (var (name, property) in schema.Properties)
        {
            CheckNested(property, $"{path}.properties[{name}]", errors);
        }
    }

    /// <summary>Every field that a value validation speaks of must be specified outside of it too.</summary>
    private static void CheckComplete(TypeSchema structure, TypeSchema validation, string path, List<FieldError> errors)
    {
        var parts = validation.AllOf.Concat(validation.AnyOf).Concat(validation.OneOf);
        foreach (var part in validation.Not is { } not ? parts.Append(not) : parts)
        {
            CheckCovered(structure, part, path, errors);
        }
        if (!ReferenceEquals(structure, validation))
        {
            return;
        }
        foreach (var (name, property) in structure.Properties)
        {
            CheckComplete(property, property, $"{path}.properties[{name}]", errors);
        }
        if (structure.Items is { } items)
        {
            CheckComplete(items, items, $"{path}.items", errors);
        }
        if (structure.AdditionalProperties is { } values)
        {
            CheckComplete(values, values, $"{path}.additionalProperties", errors);
        }
    }

    private static void CheckCovered(TypeSchema structure, TypeSchema part, string path, List<FieldError> errors)
    {
        foreach (var (name, property) in part.Properties)
        {
            if (structure.Properties.TryGetValue(name, out var known))
            {
                CheckCovered(known, property, $"{path}.properties[{name}]", errors);
            }
            else
            {
                errors.Add(FieldError.Required($"{path}.properties[{name}]", "because it is defined in a nested value validation"));
            }
        }
        if (part.Items is { } items)
        {
            if (structure.Items is { } known)
            {
                CheckCovered(known, items, $"{path}.items", errors);
            }
            else
            {
                errors.Add(FieldError.Required($"{path}.items", "because it is defined in a nested value validation"));
            }
        }
        CheckComplete(structure, part, path, errors);
    }
}
