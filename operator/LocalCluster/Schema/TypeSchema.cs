using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// The schema of a value: the structural part (which fields there are), the value validations, and Kubernetes' extensions.
/// Custom kinds get theirs from <see cref="StructuralSchema.Parse"/>, built-in kinds from the client library's models.
/// Instances are immutable and shared.
/// </summary>
internal sealed record TypeSchema
{
    private static readonly Dictionary<string, TypeSchema> NoProperties = [];

    /// <summary>Nothing known, everything kept: arbitrary JSON.</summary>
    public static TypeSchema Anything { get; } = new() { PreserveUnknownFields = true };

    /// <summary>object, array, string, integer, number or boolean; null where <see cref="IntOrString"/> or anything goes.</summary>
    public string? Type { get; init; }

    public string? Format { get; init; }
    public string? Title { get; init; }
    public string? Description { get; init; }
    public bool Nullable { get; init; }

    /// <summary>True when the schema states a default, which may be JSON's null.</summary>
    public bool HasDefault { get; init; }

    public JsonNode? Default { get; init; }

    public IReadOnlyDictionary<string, TypeSchema> Properties { get; init; } = NoProperties;

    /// <summary>The schema of the values of a map.</summary>
    public TypeSchema? AdditionalProperties { get; init; }

    /// <summary><c>additionalProperties: true</c>: a map of anything.</summary>
    public bool AllowsAdditionalProperties { get; init; }

    public TypeSchema? Items { get; init; }
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>The permitted values, or null where all are.</summary>
    public IReadOnlyList<JsonNode?>? Enum { get; init; }

    public double? Minimum { get; init; }
    public bool ExclusiveMinimum { get; init; }
    public double? Maximum { get; init; }
    public bool ExclusiveMaximum { get; init; }
    public double? MultipleOf { get; init; }
    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }

    /// <summary>A regular expression in RE2's syntax.</summary>
    public string? Pattern
    {
        get;
        init
        {
            field = value;
            PatternRegex = value is null ? null : GoRegex.TryCompile(value, out _);
        }
    }

    /// <summary>The compiled <see cref="Pattern"/>; null where there is none, or none that compiles.</summary>
    public Regex? PatternRegex { get; private init; }

    public long? MinItems { get; init; }
    public long? MaxItems { get; init; }
    public bool UniqueItems { get; init; }
    public long? MinProperties { get; init; }
    public long? MaxProperties { get; init; }

    public IReadOnlyList<TypeSchema> AllOf { get; init; } = [];
    public IReadOnlyList<TypeSchema> AnyOf { get; init; } = [];
    public IReadOnlyList<TypeSchema> OneOf { get; init; } = [];
    public TypeSchema? Not { get; init; }

    /// <summary><c>x-kubernetes-int-or-string</c></summary>
    public bool IntOrString { get; init; }

    /// <summary><c>x-kubernetes-preserve-unknown-fields</c></summary>
    public bool PreserveUnknownFields { get; init; }

    /// <summary><c>x-kubernetes-embedded-resource</c></summary>
    public bool EmbeddedResource { get; init; }

    /// <summary><c>x-kubernetes-list-type</c>: atomic (the default), set or map.</summary>
    public string? ListType { get; init; }

    /// <summary><c>x-kubernetes-list-map-keys</c></summary>
    public IReadOnlyList<string> ListMapKeys { get; init; } = [];

    /// <summary><c>x-kubernetes-map-type</c>: granular (the default) or atomic.</summary>
    public string? MapType { get; init; }

    /// <summary><c>x-kubernetes-patch-merge-key</c>, for strategic merge patches of built-in kinds.</summary>
    public string? PatchMergeKey { get; init; }

    /// <summary><c>x-kubernetes-patch-strategy</c>: merge, replace, retainKeys, and combinations.</summary>
    public IReadOnlyList<string> PatchStrategies { get; init; } = [];

    /// <summary><c>x-kubernetes-validations</c></summary>
    public IReadOnlyList<ValidationRule> Validations { get; init; } = [];

    /// <summary>
    /// How items of a list are told apart: by "map" keys, as a "set", or "atomic", not at all. Built-in kinds that state only how they
    /// patch are lists of the same type in effect.
    /// </summary>
    public string EffectiveListType => ListType
        ?? (!PatchStrategies.Contains("merge") ? "atomic" : PatchMergeKey is null ? "set" : "map");

    /// <summary>The keys of a list of type map.</summary>
    public IReadOnlyList<string> EffectiveMapKeys => ListMapKeys.Count > 0 || PatchMergeKey is null ? ListMapKeys : [PatchMergeKey];

    public bool IsObject => Type == "object";

    public bool IsArray => Type == "array";

    /// <summary>True where the value is a map: any key, one schema for the values.</summary>
    public bool IsMap => AdditionalProperties is not null || AllowsAdditionalProperties;

    /// <summary>The schema of one member of an object, or null where the schema does not know it.</summary>
    public TypeSchema? Member(string name) => Properties.TryGetValue(name, out var property)
        ? property
        : AdditionalProperties ?? (AllowsAdditionalProperties ? Anything : null);
}

/// <summary>One CEL rule of <c>x-kubernetes-validations</c>.</summary>
internal sealed record ValidationRule(
    string Rule,
    string? Message = null,
    string? MessageExpression = null,
    string? Reason = null,
    string? FieldPath = null,
    bool? OptionalOldSelf = null);
