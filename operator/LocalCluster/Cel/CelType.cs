using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

internal enum CelKind
{
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Object,
    Optional,
}

/// <summary>A type of the checker, with the largest size that a value can have, for the estimate of costs.</summary>
/// <param name="Kind">What the value is.</param>
/// <param name="Element">The items of a list, the values of a map, the content of an optional.</param>
/// <param name="Schema">The schema of an object; its members are typed when they are asked for.</param>
/// <param name="MaxSize">The most characters, items or entries.</param>
/// <param name="Nullable">Whether the value may be null.</param>
/// <param name="Key">The keys of a map; strings where the map comes from a schema.</param>
internal sealed record CelType(
    CelKind Kind, CelType? Element = null, TypeSchema? Schema = null, long MaxSize = 1, bool Nullable = false, CelType? Key = null)
{
    /// <summary>The largest body that the API server takes, and with it the largest string without a maxLength.</summary>
    public const long MaxRequestBytes = 3 * 1024 * 1024;

    public static readonly CelType Dyn = new(CelKind.Dyn, MaxSize: MaxRequestBytes);
    public static readonly CelType Null = new(CelKind.Null, Nullable: true);
    public static readonly CelType Bool = new(CelKind.Bool);
    public static readonly CelType Int = new(CelKind.Int);
    public static readonly CelType Uint = new(CelKind.Uint);
    public static readonly CelType Double = new(CelKind.Double);
    public static readonly CelType Bytes = new(CelKind.Bytes, MaxSize: MaxRequestBytes);
    public static readonly CelType Timestamp = new(CelKind.Timestamp);
    public static readonly CelType Duration = new(CelKind.Duration);

    private static readonly TypeSchema NamesOnly = new()
    {
        Type = "object",
        Properties = new Dictionary<string, TypeSchema>
        {
            ["name"] = new() { Type = "string", MaxLength = 253 },
            ["generateName"] = new() { Type = "string", MaxLength = 253 },
        },
    };

    public bool IsNumber => Kind is CelKind.Int or CelKind.Uint or CelKind.Double;

    public static CelType String(long maxSize = MaxRequestBytes - 2) => new(CelKind.String, MaxSize: maxSize);

    public static CelType ListOf(CelType element, long maxSize) => new(CelKind.List, element, MaxSize: maxSize);

    public static CelType MapOf(CelType key, CelType value, long maxSize) => new(CelKind.Map, value, MaxSize: maxSize, Key: key);

    /// <summary>The type of the values of a schema, or null where rules cannot see them (arbitrary JSON).</summary>
    public static CelType? Of(TypeSchema schema, bool isResource = false)
    {
        if (schema.IntOrString)
        {
            return Dyn with { Nullable = schema.Nullable };
        }
        if (isResource || schema.EmbeddedResource)
        {
            schema = Resource(schema);
        }
        var type = schema.Type switch
        {
            "boolean" => Bool,
            "integer" => Int,
            "number" => Double,
            "string" => OfString(schema),
            "array" => schema.Items is { } items && Of(items) is { } item
                ? ListOf(item, schema.MaxItems ?? (MaxRequestBytes - 2) / (MinBytes(items) + 1)) with { Schema = schema }
                : null,
            "object" when schema.AdditionalProperties is { } values => Of(values) is { } value
                ? MapOf(String(), value, schema.MaxProperties ?? (MaxRequestBytes - 2) / (MinBytes(values) + 6)) with { Schema = schema }
                : null,
            "object" when !schema.AllowsAdditionalProperties => new CelType(CelKind.Object, Schema: schema, MaxSize: schema.Properties.Count),
            _ => null,
        };
        return type is null ? null : type with { Nullable = schema.Nullable };
    }

    /// <summary>The type of a member by its escaped name, or null where there is none.</summary>
    public CelType? Member(string escaped) =>
        CelNames.Find(Schema!.Properties, escaped) is { } name ? Of(Schema.Properties[name]) : null;

    public override string ToString() => Kind switch
    {
        CelKind.List => $"list({Element})",
        CelKind.Map => $"map({Key}, {Element})",
        CelKind.Optional => $"optional_type({Element})",
        CelKind.Timestamp => "google.protobuf.Timestamp",
        CelKind.Duration => "google.protobuf.Duration",
        _ => Kind.ToString().ToLowerInvariant(),
    };

    private static CelType OfString(TypeSchema schema) => schema.Format switch
    {
        "byte" => Bytes with { MaxSize = schema.MaxLength ?? MaxRequestBytes - 2 },
        "date" or "date-time" => Timestamp,
        "duration" => Duration,
        _ when schema.Enum is { Count: > 0 } permitted => String(permitted.Max(p => p?.ToString().Length ?? 0)),
        // A character takes up to four bytes.
        _ => String(schema.MaxLength * 4 ?? MaxRequestBytes - 2),
    };

    /// <summary>The fewest bytes that a value takes in a request.</summary>
    private static long MinBytes(TypeSchema schema) => schema.Type switch
    {
        "boolean" => 4,
        "string" => 2 + (schema.MinLength ?? 0),
        "array" => 2,
        "object" => 2 + schema.Required
            .Where(name => schema.Properties.TryGetValue(name, out var member) && !member.HasDefault)
            .Sum(name => name.Length + 4 + MinBytes(schema.Properties[name])),
        _ => 1,
    };

    private static TypeSchema Resource(TypeSchema schema) => schema with
    {
        Properties = new Dictionary<string, TypeSchema>(schema.Properties)
        {
            ["apiVersion"] = new() { Type = "string", MaxLength = 253 },
            ["kind"] = new() { Type = "string", MaxLength = 63 },
            ["metadata"] = NamesOnly,
        },
    };
}
