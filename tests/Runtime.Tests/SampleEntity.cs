using k8s.Models;

namespace Graft.Runtime.Tests;

public enum Flavour
{
    Sweet,
    VerySour,
}

[Description("A cake to be baked.")]
[KubernetesEntity(Group = "test.graft.dev", ApiVersion = "v1alpha1", Kind = "Cake", PluralName = "cakes")]
[KubernetesEntityShortNames("ck")]
[KubernetesEntityCategories("bakery")]
[SelectableField(".spec.series")]
[ScaleSubresource(".spec.replicas", ".status.replicas", ".status.selector")]
[GenericAdditionalPrinterColumn(".status.phase", "Phase", "string")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[ValidationRule("self.metadata.name.size() <= 40", fieldPath: ".metadata.name", message: "name must have at most 40 characters")]
public sealed class Cake : CustomKubernetesEntity<CakeSpec, CakeStatus>;

[ValidationRule("self.flavour == oldSelf.flavour", fieldPath: ".flavour", message: "flavour cannot be changed", reason: "FieldValueForbidden")]
public sealed record CakeSpec
{
    [Description("Groups cakes.")]
    [Length(maxLength: 63)]
    public string? Series { get; init; }

    public required Flavour Flavour { get; init; }

    public Topping Topping { get; init; } = new("sugar");

    [DefaultValue(1)]
    [RangeMinimum(0)]
    [RangeMaximum(100)]
    public int Replicas { get; init; } = 1;

    [RangeMinimum(0, true)]
    public double? Sweetness { get; init; }

    [Items(1, 8)]
    [Length(1, 32)]
    [Pattern("^[a-z]+$")]
    public IList<string>? Tags { get; init; }

    [PropertyLimits(maxProperties: 16)]
    [Length(maxLength: 64)]
    public IDictionary<string, string>? Labels { get; init; }

    [Duration]
    [DefaultValue("30m")]
    public string? BakeFor { get; init; }

    [DefaultValue(Json = """{"layers": 3}""")]
    [PropertyLimits(1, 1)]
    public Height? Height { get; init; }

    public ResourceQuantity? Flour { get; init; }

    [XListType(ListType.Map)]
    [XListMapKeys("name")]
    public IList<Topping>? Toppings { get; init; }

    public IList<V1Toleration>? Tolerations { get; init; }

    [PreserveUnknownFields]
    public object? Extra { get; init; }
}

public sealed record Height
{
    public int? Layers { get; init; }

    public double? Centimetres { get; init; }
}

[Description("What is put on top.")]
public sealed record Topping([property: Length(1, 63)] string Name, int Grams = 10, string? Origin = null);

public sealed record CakeStatus
{
    public long? ObservedGeneration { get; init; }

    public string? Phase { get; init; }

    [AdditionalPrinterColumn(PrinterColumnPriority.WideView)]
    public int Replicas { get; init; }

    public string? Selector { get; init; }

    public DateTime? BakedAt { get; init; }

    public IList<V1Condition>? Conditions { get; init; }
}
