namespace Graft.Runtime;

public enum EntityScope
{
    Namespaced,
    Cluster,
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class EntityScopeAttribute(EntityScope scope = EntityScope.Namespaced) : Attribute
{
    public EntityScope Scope { get; } = scope;
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class KubernetesEntityShortNamesAttribute(params string[] shortNames) : Attribute
{
    public IReadOnlyList<string> ShortNames { get; } = shortNames;
}

/// <summary>Groups that `kubectl get CATEGORY` lists together.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KubernetesEntityCategoriesAttribute(params string[] categories) : Attribute
{
    public IReadOnlyList<string> Categories { get; } = categories;
}

/// <summary>The version that is stored when a kind has several.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StorageVersionAttribute : Attribute;

/// <summary>A field that field selectors may name, for instance `.spec.series`. A kind may have eight of them.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class SelectableFieldAttribute(string jsonPath) : Attribute
{
    public string JsonPath { get; } = jsonPath;
}

public enum PrinterColumnPriority
{
    /// <summary>Always printed.</summary>
    StandardView,

    /// <summary>Printed by `-o wide`.</summary>
    WideView,
}

/// <summary>A column of `kubectl get` that shows this property.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AdditionalPrinterColumnAttribute(
    PrinterColumnPriority priority = PrinterColumnPriority.StandardView, string? name = null) : Attribute
{
    public PrinterColumnPriority Priority { get; } = priority;

    public string? Name { get; } = name;
}

/// <summary>A column of `kubectl get` by JSON path. Columns stand in the order of these attributes, then those of properties.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class GenericAdditionalPrinterColumnAttribute(string jsonPath, string name, string type) : Attribute
{
    public string JsonPath { get; } = jsonPath;

    public string Name { get; } = name;

    /// <summary>integer, number, string, boolean or date.</summary>
    public string Type { get; } = type;

    public string? Format { get; init; }

    public string? Description { get; init; }

    public PrinterColumnPriority Priority { get; init; }
}

[AttributeUsage(AttributeTargets.Class)]
public sealed class ScaleSubresourceAttribute(string specReplicasPath, string statusReplicasPath, string? labelSelectorPath = null) : Attribute
{
    public string SpecReplicasPath { get; } = specReplicasPath;

    public string StatusReplicasPath { get; } = statusReplicasPath;

    public string? LabelSelectorPath { get; } = labelSelectorPath;
}
