using System.Text;
using Graft.Operator.Generate;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Tests;

/// <summary>The definitions as they are generated, before any server has seen them.</summary>
public class DefinitionTests
{
    private const int MaxBytes = 200_000;

    public static TheoryData<string> Kinds => [.. GeneratedFiles.Definitions.Select(d => d.Spec.Names.Kind)];

    private static V1CustomResourceDefinition Definition(string kind) => GeneratedFiles.Definitions.Single(d => d.Spec.Names.Kind == kind);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_definition_stays_small_enough_to_be_applied_from_the_client(string kind) =>
        Assert.InRange(Encoding.UTF8.GetByteCount(ManifestYaml.Write(Definition(kind))), 1000, MaxBytes);

    /// <summary>
    /// Every field of spec and status: bounded, so that rules have a known cost; no default inside a union, where it would set a
    /// second member; none inside a list, where client-side apply would see a difference for ever; none in a status.
    /// </summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_field_is_bounded_and_has_a_default_only_where_one_does_no_harm(string kind)
    {
        var properties = Definition(kind).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties;
        Assert.Equal(["spec", "status"], properties.Keys.Where(k => k is "spec" or "status").Order());
        Assert.Empty(Faults("spec", properties["spec"], new(InUnion: false, InList: false, InStatus: false)));
        Assert.Empty(Faults("status", properties["status"], new(InUnion: false, InList: false, InStatus: true)));
    }

    /// <summary>What kubectl explain prints is the only documentation that everybody has at hand.</summary>
    [Theory]
    [InlineData("method")]
    [InlineData("objective")]
    [InlineData("data")]
    public void Every_option_says_what_it_is(string part) =>
        Assert.Empty(Silent(part, Definition("FineTuneJob").Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties[part])
            .Except(["data.train[].credentialsRef.name", "data.validation.sources[].credentialsRef.name"]));

    private static IEnumerable<string> Silent(string path, V1JSONSchemaProps schema) =>
        (schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>()).SelectMany(p =>
                (string.IsNullOrEmpty(p.Value.Description) ? [$"{path}.{p.Key}"] : Enumerable.Empty<string>())
                .Concat(Silent($"{path}.{p.Key}", p.Value)))
            .Concat(schema.Items is V1JSONSchemaProps item ? Silent(path + "[]", item) : []);

    private sealed record Place(bool InUnion, bool InList, bool InStatus);

    private static IEnumerable<string> Faults(string path, V1JSONSchemaProps schema, Place place)
    {
        if (schema.DefaultProperty is not null && (place.InUnion || place.InList || place.InStatus))
            yield return $"{path} has a default: {place}";
        if (schema.Type == "array" && schema.MaxItems is null) yield return $"{path} has no maxItems";
        if (schema is { Type: "string", EnumProperty: not { Count: > 0 }, Format: null, MaxLength: null })
            yield return $"{path} has no maxLength";
        if (schema.AdditionalProperties is not null && schema.MaxProperties is null) yield return $"{path} has no maxProperties";
        var rules = schema.XKubernetesValidations ?? [];
        var union = rules.Any(r => r.Message?.StartsWith("exactly one of", StringComparison.Ordinal) == true);
        foreach (var (name, property) in schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
        {
            foreach (var fault in Faults($"{path}.{name}", property, place with { InUnion = place.InUnion || union })) yield return fault;
        }
        foreach (var element in new[] { schema.Items, schema.AdditionalProperties }.OfType<V1JSONSchemaProps>())
        {
            foreach (var fault in Faults(path + "[]", element, place with { InList = true })) yield return fault;
        }
    }

    public static TheoryData<string, string, string> Columns() => new()
    {
        { "FineTuneJob", "0", "Method .status.method, Phase .status.phase, Progress .status.progress.percent, Loss .status.progress.loss,"
            + " ETA .status.progress.remaining, Age .metadata.creationTimestamp" },
        { "FineTuneJob", "1", "GPU .status.gpu, Attempts .status.attempts[0].number, Artifact .status.artifact.uri" },
        { "AdapterDeployment", "0", "Engine .status.engine, Adapters .status.adapterSummary, Replicas .status.readyReplicas,"
            + " Phase .status.phase, Age .metadata.creationTimestamp" },
        { "AdapterDeployment", "1", "Endpoint .status.endpoint" },
    };

    [Theory]
    [MemberData(nameof(Columns))]
    public void The_columns_that_kubectl_prints_are_these_and_the_fields_exist(string kind, string priority, string columns)
    {
        var version = Definition(kind).Spec.Versions[0];
        var printed = version.AdditionalPrinterColumns.Where(c => $"{c.Priority ?? 0}" == priority).ToList();
        Assert.Equal(columns, string.Join(", ", printed.Select(c => $"{c.Name} {c.JsonPath}")));
        Assert.All(printed.Where(c => c.JsonPath.StartsWith(".status.", StringComparison.Ordinal)), c =>
        {
            var at = version.Schema.OpenAPIV3Schema;
            foreach (var part in c.JsonPath[1..].Split('.'))
            {
                at = at.Properties[part.Split('[')[0]];
                if (part.Contains('[', StringComparison.Ordinal)) at = Assert.IsType<V1JSONSchemaProps>(at.Items);
            }
            Assert.Equal(c.Type, at.Type);
        });
    }

    [Fact]
    public void What_is_committed_is_what_the_records_say() =>
        Assert.All(GeneratedFiles.All(new(OperatorOptions.DefaultOperatorImage)), f =>
            Assert.Equal(File.ReadAllText(Path.Combine(Golden.Repository(), f.Name)), f.Text));

    [Fact]
    public void Images_that_a_person_names_are_the_operators_and_those_it_runs()
    {
        var named = GeneratedFiles.All(new("r/operator:1", "r/trainer:1", "r/server:1")).Single(f => f.Name == "charts/base/operator.yaml").Text;
        Assert.Contains("image: r/operator:1\n", named, StringComparison.Ordinal);
        Assert.Matches(@"- --trainer-image\s+- r/trainer:1\s+- --server-image\s+- r/server:1\s", named);
        var unnamed = GeneratedFiles.All(new("r/operator:1")).Single(f => f.Name == "charts/base/operator.yaml").Text;
        Assert.DoesNotContain("-image", unnamed, StringComparison.Ordinal);
    }

    [Fact]
    public void Generating_twice_gives_the_same_bytes() => Assert.Equal(GeneratedFiles.All(new("image")), GeneratedFiles.All(new("image")));
}
