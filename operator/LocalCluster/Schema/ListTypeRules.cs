using System.Globalization;

namespace Graft.LocalCluster.Schema;

/// <summary>What <c>x-kubernetes-list-type</c> and <c>x-kubernetes-list-map-keys</c> ask of a list's schema.</summary>
internal static class ListTypeRules
{
    public static void Check(TypeSchema schema, string path, List<FieldError> errors)
    {
        if (schema.ListType is not { } listType)
        {
            if (schema.ListMapKeys.Count > 0)
            {
                errors.Add(FieldError.Required(
                    $"{path}.x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty"));
            }
            return;
        }
        if (schema.Type != "array")
        {
            errors.Add(FieldError.Invalid($"{path}.type", schema.Type ?? "", "must be array if x-kubernetes-list-type is specified"));
        }
        if (listType is not ("atomic" or "set" or "map"))
        {
            errors.Add(FieldError.NotSupported($"{path}.x-kubernetes-list-type", listType, ["atomic", "map", "set"]));
        }
        if (listType == "set" && schema.Items is { } set
            && ((set.IsObject && set.MapType != "atomic") || (set.IsArray && set.ListType is not (null or "atomic"))))
        {
            errors.Add(FieldError.Invalid(
                $"{path}.items.x-kubernetes-{(set.IsObject ? "map" : "list")}-type",
                null,
                "must be atomic as item of a list with x-kubernetes-list-type=set"));
        }
        if (listType != "map")
        {
            return;
        }
        if (schema.ListMapKeys.Count == 0)
        {
            errors.Add(FieldError.Required(
                $"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
        }
        if (schema.Items is { } items && items.Type != "object")
        {
            errors.Add(FieldError.Invalid(
                $"{path}.items.type", items.Type ?? "", "must be object if parent array's x-kubernetes-list-type is map"));
        }
        for (var i = 0; i < schema.ListMapKeys.Count; i++)
        {
            CheckMapKey(schema, i, path, errors);
        }
    }

    private static void CheckMapKey(TypeSchema schema, int i, string path, List<FieldError> errors)
    {
        var key = schema.ListMapKeys[i];
        if (schema.Items?.Properties.GetValueOrDefault(key) is not { } property)
        {
            errors.Add(FieldError.Invalid(
                string.Create(CultureInfo.InvariantCulture, $"{path}.x-kubernetes-list-map-keys[{i}]"),
                key,
                "entries must all be names of item properties"));
        }
        else if (property.Type is "object" or "array")
        {
            errors.Add(FieldError.Invalid(
                $"{path}.items.properties[{key}].type",
                property.Type,
                "must be a scalar type if parent array's x-kubernetes-list-type is map"));
        }
        else if (!property.HasDefault && !schema.Items.Required.Contains(key))
        {
            errors.Add(FieldError.Required(
                $"{path}.items.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
        }
    }
}
