using System.Reflection;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>CustomResourceDefinitions from C# types.</summary>
public static class CrdGenerator
{
    public static V1CustomResourceDefinition Generate<TEntity>(SchemaOptions? options = null) where TEntity : CustomKubernetesEntity =>
        Generate([typeof(TEntity)], options);

    /// <param name="versions">The types of one kind, one for each served version, newest first.</param>
    /// <exception cref="SchemaException">Something in the types cannot be said in a schema; all of it is named.</exception>
    public static V1CustomResourceDefinition Generate(IReadOnlyList<Type> versions, SchemaOptions? options = null)
    {
        var first = versions[0];
        var kind = ResourceKind.Of(first);
        var problems = new List<string>();
        if (versions.Count(v => v.IsDefined(typeof(StorageVersionAttribute))) != 1 && versions.Count > 1)
            problems.Add("exactly one version must be marked [StorageVersion]");
        foreach (var other in versions.Select(ResourceKind.Of).Where(o => o with { Version = "" } != kind with { Version = "" }))
            problems.Add($"{other.Kind}.{other.Group} is not a version of {kind.Kind}.{kind.Group}");
        var crd = new V1CustomResourceDefinition
        {
            ApiVersion = "apiextensions.k8s.io/v1",
            Kind = "CustomResourceDefinition",
            Metadata = new V1ObjectMeta { Name = $"{kind.Plural}.{kind.Group}" },
            Spec = new V1CustomResourceDefinitionSpec
            {
                Group = kind.Group,
                Scope = kind.Namespaced ? "Namespaced" : "Cluster",
                Names = new V1CustomResourceDefinitionNames
                {
                    Kind = kind.Kind,
                    ListKind = $"{kind.Kind}List",
                    Plural = kind.Plural,
                    Singular = kind.Kind.ToLowerInvariant(),
                    ShortNames = Listed(first.GetCustomAttribute<KubernetesEntityShortNamesAttribute>()?.ShortNames),
                    Categories = Listed(first.GetCustomAttribute<KubernetesEntityCategoriesAttribute>()?.Categories),
                },
                Versions = [.. versions.Select(v => Version(v, versions.Count == 1, options ?? new SchemaOptions(), problems))],
            },
        };
        return problems.Count == 0 ? crd : throw new SchemaException(kind.Kind, problems);
    }

    private static V1CustomResourceDefinitionVersion Version(Type type, bool only, SchemaOptions options, List<string> problems)
    {
        var builder = new SchemaBuilder(options);
        var schema = builder.Entity(type);
        problems.AddRange(builder.Problems);
        var selectable = type.GetCustomAttributes<SelectableFieldAttribute>().Select(f => new V1SelectableField { JsonPath = f.JsonPath }).ToList();
        if (selectable.Count > 8)
            problems.Add("a kind may have at most 8 selectable fields");
        foreach (var field in selectable.Where(f => !Exists(schema, f.JsonPath)))
            problems.Add($"{field.JsonPath}: there is no such field to select by");
        var scale = type.GetCustomAttribute<ScaleSubresourceAttribute>();
        foreach (var path in new[] { scale?.SpecReplicasPath, scale?.StatusReplicasPath, scale?.LabelSelectorPath }.OfType<string>().Where(p => !Exists(schema, p)))
            problems.Add($"{path}: there is no such field to scale by");
        var columns = type.GetCustomAttributes<GenericAdditionalPrinterColumnAttribute>().Select(Column).Concat(builder.Columns).ToList();
        return new V1CustomResourceDefinitionVersion
        {
            Name = ResourceKind.Of(type).Version,
            Served = true,
            Storage = only || type.IsDefined(typeof(StorageVersionAttribute)),
            Schema = new V1CustomResourceValidation { OpenAPIV3Schema = schema },
            Subresources = Subresources(schema.Properties.ContainsKey("status"), scale),
            AdditionalPrinterColumns = columns.Count > 0 ? columns : null,
            SelectableFields = selectable.Count > 0 ? selectable : null,
        };
    }

    private static V1CustomResourceSubresources? Subresources(bool status, ScaleSubresourceAttribute? scale) => !status && scale is null ? null : new()
    {
        Status = status ? new Dictionary<string, object>() : null,
        Scale = scale is null ? null : new V1CustomResourceSubresourceScale
        {
            SpecReplicasPath = scale.SpecReplicasPath,
            StatusReplicasPath = scale.StatusReplicasPath,
            LabelSelectorPath = scale.LabelSelectorPath,
        },
    };

    private static V1CustomResourceColumnDefinition Column(GenericAdditionalPrinterColumnAttribute column) => new()
    {
        Name = column.Name,
        JsonPath = column.JsonPath,
        Type = column.Type,
        Format = column.Format,
        Description = column.Description,
        Priority = (int)column.Priority,
    };

    private static bool Exists(V1JSONSchemaProps schema, string jsonPath)
    {
        var at = schema;
        foreach (var part in jsonPath.TrimStart('.').Split('.'))
            if (at.Properties is null || !at.Properties.TryGetValue(part, out at!))
                return false;
        return true;
    }

    private static List<string>? Listed(IReadOnlyList<string>? names) => names is { Count: > 0 } ? [.. names] : null;
}
