using System.Text;
using Graft.Operator.Generate;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Tests;

public class DefinitionTests
{
    private const int MaxBytes = 200_000;

    public static TheoryData<string> Kinds => [.. GeneratedFiles.Definitions.Select(d => d.Spec.Names.Kind)];

    private static V1CustomResourceDefinition Definition(string kind) => GeneratedFiles.Definitions.Single(d => d.Spec.Names.Kind == kind);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_definition_stays_small_enough_to_be_applied_from_the_client(string kind) =>
        Assert.InRange(Encoding.UTF8.GetByteCount(ManifestYaml.Write(Definition(kind))), 1, MaxBytes);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_default_lies_inside_a_list_where_client_side_apply_would_see_a_difference_for_ever(string kind)
    {
        var spec = Definition(kind).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"];

        Assert.Empty(DefaultsInLists("spec", spec, inList: false));
    }

    private static IEnumerable<string> DefaultsInLists(string path, V1JSONSchemaProps schema, bool inList)
    {
        if (inList && schema.DefaultProperty is not null) yield return path;
        foreach (var (name, property) in schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
            foreach (var found in DefaultsInLists($"{path}.{name}", property, inList)) yield return found;
        if (schema.Items is V1JSONSchemaProps items)
            foreach (var found in DefaultsInLists(path + "[]", items, inList: true)) yield return found;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Everything_in_a_spec_is_bounded_so_that_rules_have_a_known_cost(string kind)
    {
        var spec = Definition(kind).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"];

        Assert.Empty(Unbounded("spec", spec));
    }

    private static IEnumerable<string> Unbounded(string path, V1JSONSchemaProps schema)
    {
        if (schema.Type == "array" && schema.MaxItems is null) yield return path;
        if (schema.Type == "string" && schema.EnumProperty is null && schema.MaxLength is null) yield return path;
        if (schema.AdditionalProperties is not null && schema.MaxProperties is null) yield return path;
        foreach (var (name, property) in schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
            foreach (var found in Unbounded($"{path}.{name}", property)) yield return found;
        if (schema.Items is V1JSONSchemaProps items)
            foreach (var found in Unbounded(path + "[]", items)) yield return found;
    }

    [Fact]
    public void Generating_twice_gives_the_same_bytes() => Assert.Equal(GeneratedFiles.All("image"), GeneratedFiles.All("image"));
}
