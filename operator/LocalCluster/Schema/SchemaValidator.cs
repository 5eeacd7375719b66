using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// Validates an object against its schema and gathers every error, in the words of the API server. On update, what is invalid already and
/// unchanged passes: ratcheting, KEP-4008.
/// </summary>
internal sealed class SchemaValidator
{
    private readonly List<FieldError> _errors = [];

    private SchemaValidator()
    {
    }

    /// <param name="value">The whole object, pruned and defaulted.</param>
    /// <param name="old">The stored object on update; null on create.</param>
    /// <param name="schema">The schema of the version.</param>
    public static IReadOnlyList<FieldError> Validate(JsonObject value, JsonObject? old, TypeSchema schema)
    {
        var validator = new SchemaValidator();
        // metadata has one schema for all kinds; what a CRD may say of it is about names only, and comes on top.
        if (value["metadata"] is { } metadata)
        {
            validator.Check(metadata, old?["metadata"], old is not null, ObjectMetadataSchema.Instance, "metadata");
        }
        validator.Check(value, old, old is not null, schema, "");
        return validator._errors;
    }

    private void Check(JsonNode? value, JsonNode? old, bool hasOld, TypeSchema schema, string path)
    {
        if (hasOld && JsonEquality.Same(value, old))
        {
            return;
        }
        if (value is null && schema.Nullable)
        {
            return;
        }
        if (!HasRightType(value, schema, path))
        {
            return;
        }
        switch (value)
        {
            case JsonObject o:
                CheckObject(o, old as JsonObject, schema, path);
                break;
            case JsonArray a:
                CheckList(a, old as JsonArray, schema, path);
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String:
                CheckString(v.GetValue<string>(), schema, path);
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.Number:
                CheckNumber(JsonNumber.Read(v), schema, path);
                break;
        }
        CheckEnum(value, schema, path);
        CheckCombinations(value, schema, path);
    }

    private bool HasRightType(JsonNode? value, TypeSchema schema, string path)
    {
        var actual = TypeOf(value);
        var (fits, wanted) = schema switch
        {
            { IntOrString: true } => (actual is "integer" or "string", "integer,string"),
            { Type: null } => (true, ""),
            { Type: "number" } => (actual is "integer" or "number", "number"),
            _ => (actual == schema.Type, schema.Type),
        };
        if (!fits)
        {
            Add(FieldErrorType.TypeInvalid, path, actual, $"{path} in body must be of type {wanted}: {GoText.Quote(actual)}");
        }
        return fits;
    }

    private static string TypeOf(JsonNode? value) => JsonEquality.KindOf(value) switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => JsonNumber.Read(value!).IsWhole ? "integer" : "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => "null",
    };

    private void CheckObject(JsonObject value, JsonObject? old, TypeSchema schema, string path)
    {
        if (schema.MinProperties is { } min && value.Count < min)
        {
            Add(FieldErrorType.Invalid, path, min, $"{path} in body should have at least {Text(min)} properties");
        }
        if (schema.MaxProperties is { } max && value.Count > max)
        {
            _errors.Add(FieldError.TooMany(path, value.Count, max));
        }
        foreach (var name in schema.Required)
        {
            if (!value.ContainsKey(name))
            {
                _errors.Add(FieldError.Required(Join(path, name)));
            }
        }
        if (schema.EmbeddedResource)
        {
            CheckEmbedded(value, path);
        }
        foreach (var (name, member) in value)
        {
            if (schema.Member(name) is not { } known)
            {
                continue;
            }
            JsonNode? oldMember = null;
            var hasOld = schema.MapType != "atomic" && old is not null && old.TryGetPropertyValue(name, out oldMember);
            Check(member, oldMember, hasOld, known, Join(path, name));
        }
    }

    private void CheckEmbedded(JsonObject value, string path)
    {
        foreach (var name in new[] { "apiVersion", "kind" })
        {
            if (value[name] is not { } text || text.GetValueKind() != JsonValueKind.String || text.GetValue<string>().Length == 0)
            {
                _errors.Add(FieldError.Required(Join(path, name), "must not be empty"));
            }
        }
    }

    private void CheckList(JsonArray value, JsonArray? old, TypeSchema schema, string path)
    {
        if (schema.MinItems is { } min && value.Count < min)
        {
            Add(FieldErrorType.Invalid, path, value.Count, $"{path} in body should have at least {Text(min)} items");
        }
        if (schema.MaxItems is { } max && value.Count > max)
        {
            _errors.Add(FieldError.TooMany(path, value.Count, max));
        }
        if (schema.UniqueItems && value.Distinct(JsonEquality.Comparer).Count() < value.Count)
        {
            Add(FieldErrorType.Invalid, path, "", $"{path} in body shouldn't contain duplicates");
        }
        CheckListType(value, schema, path);
        if (schema.Items is not { } items)
        {
            return;
        }
        for (var i = 0; i < value.Count; i++)
        {
            var before = schema.ListType == "map" && old is not null ? ListKeys.Find(old, value[i], schema) : null;
            Check(value[i], before, before is not null, items, Index(path, i));
        }
    }

    private void CheckListType(JsonArray value, TypeSchema schema, string path)
    {
        if (schema.ListType is not ("set" or "map"))
        {
            return;
        }
        var seen = new HashSet<JsonNode?>(JsonEquality.Comparer);
        for (var i = 0; i < value.Count; i++)
        {
            var key = schema.ListType == "set" ? value[i] : ListKeys.Of(value[i], schema);
            if (key is not null && !seen.Add(key))
            {
                _errors.Add(FieldError.Duplicate(Index(path, i), key));
            }
        }
    }

    private void CheckString(string value, TypeSchema schema, string path)
    {
        if (schema.MaxLength is { } max && Length(value) > max)
        {
            _errors.Add(FieldError.TooLong(path, (int)max));
        }
        if (schema.MinLength is { } min && Length(value) < min)
        {
            Add(FieldErrorType.Invalid, path, value, $"{path} in body should be at least {Text(min)} chars long");
        }
        if (schema.PatternRegex is { } pattern && !pattern.IsMatch(value))
        {
            Add(FieldErrorType.Invalid, path, value, $"{path} in body should match '{schema.Pattern}'");
        }
        if (schema.Format is { } format && !FormatChecks.Matches(format, value))
        {
            Add(FieldErrorType.TypeInvalid, path, value, $"{path} in body must be of type {format}: {GoText.Quote(value)}");
        }
    }

    /// <summary>Lengths count code points, as the API server's do.</summary>
    private static int Length(string value) => value.EnumerateRunes().Count();

    private void CheckNumber(JsonNumber value, TypeSchema schema, string path)
    {
        JsonNode shown = value.IsInteger ? JsonValue.Create(value.Integer) : JsonValue.Create(value.Value);
        if (schema.Maximum is { } max && (schema.ExclusiveMaximum ? value.Value >= max : value.Value > max))
        {
            var relation = schema.ExclusiveMaximum ? "less than" : "less than or equal to";
            Add(FieldErrorType.Invalid, path, shown, $"{path} in body should be {relation} {Text(max)}");
        }
        if (schema.Minimum is { } min && (schema.ExclusiveMinimum ? value.Value <= min : value.Value < min))
        {
            var relation = schema.ExclusiveMinimum ? "greater than" : "greater than or equal to";
            Add(FieldErrorType.Invalid, path, shown, $"{path} in body should be {relation} {Text(min)}");
        }
        if (schema.MultipleOf is { } factor && factor > 0 && !IsWhole(value.Value / factor))
        {
            Add(FieldErrorType.Invalid, path, shown, $"{path} in body should be a multiple of {Text(factor)}");
        }
        var fits = schema.Format switch
        {
            "int32" => value.Value is >= int.MinValue and <= int.MaxValue,
            "int64" => value.IsInteger || Math.Abs(value.Value) < 9.3e18,
            _ => true,
        };
        if (!fits)
        {
            Add(FieldErrorType.Invalid, path, shown, $"Checked value must be of type {schema.Type} with format {schema.Format} in {path}");
        }
    }

    private static bool IsWhole(double value) => Math.Abs(value - Math.Round(value)) < 1e-9;

    private void CheckEnum(JsonNode? value, TypeSchema schema, string path)
    {
        if (schema.Enum is { } permitted && !permitted.Contains(value, JsonEquality.Comparer))
        {
            var texts = permitted.Select(p => p is not null && p.GetValueKind() == JsonValueKind.String ? p.GetValue<string>() : GoText.Json(p));
            _errors.Add(FieldError.NotSupported(path, value?.DeepClone(), texts));
        }
    }

    private void CheckCombinations(JsonNode? value, TypeSchema schema, string path)
    {
        foreach (var part in schema.AllOf)
        {
            Check(value, null, false, part, path);
        }
        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(part => IsValid(value, part)))
        {
            Add(FieldErrorType.Invalid, path, "", $"{GoText.Quote(path)} must validate at least one schema (anyOf)");
        }
        if (schema.OneOf.Count > 0)
        {
            var valid = schema.OneOf.Count(part => IsValid(value, part));
            if (valid != 1)
            {
                var found = valid == 0 ? "Found none valid" : $"Found {Text(valid)} valid alternatives";
                Add(FieldErrorType.Invalid, path, "", $"{GoText.Quote(path)} must validate one and only one schema (oneOf). {found}");
            }
        }
        if (schema.Not is { } forbidden && IsValid(value, forbidden))
        {
            Add(FieldErrorType.Invalid, path, "", $"{GoText.Quote(path)} must not validate the schema (not)");
        }
    }

    private static bool IsValid(JsonNode? value, TypeSchema schema)
    {
        var validator = new SchemaValidator();
        validator.Check(value, null, false, schema, "");
        return validator._errors.Count == 0;
    }

    private void Add(FieldErrorType type, string path, JsonNode? value, string detail) => _errors.Add(new FieldError(type, path, value, detail));

    private static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;

    private static string Index(string path, int i) => string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(double value) => JsonNumber.Of(value).Text;
}
