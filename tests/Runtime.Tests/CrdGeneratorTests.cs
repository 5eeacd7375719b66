using k8s;
using k8s.Models;

namespace Graft.Runtime.Tests;

public sealed class CrdGeneratorTests
{
    [Fact]
    public void A_type_becomes_the_expected_definition() =>
        GoldenFile.Check("cakes.yaml", ManifestYaml.Write(CrdGenerator.Generate<Cake>()));

    [Fact]
    public void The_yaml_reads_back_as_the_same_definition()
    {
        var crd = CrdGenerator.Generate<Cake>();
        var read = KubernetesYaml.Deserialize<V1CustomResourceDefinition>(ManifestYaml.Write(crd).Replace("---\n", "", StringComparison.Ordinal));
        Assert.Equal(crd.Metadata.Name, read.Metadata.Name);
        Assert.Equal(ManifestYaml.Write(crd), ManifestYaml.Write(read));
    }

    [Fact]
    public void Everything_is_bounded() => Assert.Empty(Unbounded(CrdGenerator.Generate<Cake>().Spec.Versions[0].Schema.OpenAPIV3Schema, ""));

    [Fact]
    public void Problems_are_all_named_with_their_field()
    {
        var error = Assert.Throws<SchemaException>(() => CrdGenerator.Generate<Broken>());
        Assert.Equal(
            [
                ".spec.anything: Object has no schema; use a record, or say [PreserveUnknownFields]",
                ".spec.byNumber: the keys of a map must be strings",
                ".spec.list: a list of type map needs [XListMapKeys]",
                ".spec.number: [Pattern], [Length] and [Duration] hold for strings, not for integer",
                ".spec.whole: the default '{' is no JSON",
                ".spec.missing: there is no such field to select by",
            ],
            error.Problems.Select(p => p.Contains("no JSON", StringComparison.Ordinal) ? p[..(p.IndexOf("no JSON", StringComparison.Ordinal) + 7)] : p));
    }

    [Fact]
    public void A_type_that_contains_itself_is_refused() =>
        Assert.Contains("contains itself", Assert.Throws<SchemaException>(() => CrdGenerator.Generate<Endless>()).Message, StringComparison.Ordinal);

    [Fact]
    public void Rules_for_the_same_resource_are_merged()
    {
        var rules = RbacGenerator.Rules([typeof(FirstWorker), typeof(SecondWorker)]);
        Assert.Equal(
            [
                "/pods:get,list,watch",
                "batch/jobs:get,list,watch,create,delete",
                "test.graft.dev/cakes:get,list,watch",
                "test.graft.dev/cakes/status:patch",
                "coordination.k8s.io/leases[lock]:get,update,patch",
                "url /metrics:get",
            ],
            rules.OrderBy(r => r.NonResourceURLs is null ? 0 : 1).Select(Text).OrderBy(t => t.StartsWith("coord", StringComparison.Ordinal) ? 1 : t.StartsWith("url", StringComparison.Ordinal) ? 2 : 0));
    }

    private static string Text(V1PolicyRule rule) => rule.NonResourceURLs is { } urls
        ? $"url {urls[0]}:{string.Join(',', rule.Verbs)}"
        : $"{rule.ApiGroups[0]}/{string.Join(',', rule.Resources)}{(rule.ResourceNames is { } names ? $"[{string.Join(',', names)}]" : "")}:{string.Join(',', rule.Verbs)}";

    private static IEnumerable<string> Unbounded(V1JSONSchemaProps schema, string path)
    {
        if (path.Split('.') is [_, "apiVersion" or "kind"])
            yield break;
        if (schema.Type == "string" && schema.MaxLength is null && schema.EnumProperty is null && schema.Format is null)
            yield return path;
        if (schema.Type == "array" && schema.MaxItems is null)
            yield return path;
        if (schema.AdditionalProperties is V1JSONSchemaProps && schema.MaxProperties is null)
            yield return path;
        var inner = (schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>()).Select(p => (Path: $"{path}.{p.Key}", Schema: p.Value))
            .Concat(new[] { schema.Items, schema.AdditionalProperties }.OfType<V1JSONSchemaProps>().Select(s => (Path: $"{path}[]", Schema: s)));
        foreach (var part in inner)
            foreach (var found in Unbounded(part.Schema, part.Path))
                yield return found;
    }

    [KubernetesEntity(Group = "test.graft.dev", ApiVersion = "v1", Kind = "Broken")]
    [SelectableField(".spec.missing")]
    public sealed class Broken : CustomKubernetesEntity<BrokenSpec>;

    public sealed record BrokenSpec
    {
        public object? Anything { get; init; }

        public IDictionary<int, string>? ByNumber { get; init; }

        [XListType(ListType.Map)]
        public IList<Height>? List { get; init; }

        [Pattern("a")]
        public int? Number { get; init; }

        [DefaultValue(Json = "{")]
        public Height? Whole { get; init; }
    }

    [KubernetesEntity(Group = "test.graft.dev", ApiVersion = "v1", Kind = "Endless")]
    public sealed class Endless : CustomKubernetesEntity<EndlessSpec>;

    public sealed record EndlessSpec
    {
        public EndlessSpec? Inner { get; init; }
    }

    [EntityRbac(typeof(Cake), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
    [EntityRbac(typeof(Cake), Subresource = "status", Verbs = RbacVerb.Patch)]
    [EntityRbac(typeof(V1Job), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
    [GenericRbac(Urls = ["/metrics"], Verbs = RbacVerb.Get)]
    private sealed class FirstWorker;

    [EntityRbac(typeof(V1Job), Verbs = RbacVerb.Create | RbacVerb.Delete)]
    [EntityRbac(typeof(V1Pod), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
    [EntityRbac(typeof(V1Lease), ResourceNames = ["lock"], Verbs = RbacVerb.Get | RbacVerb.Patch)]
    [GenericRbac(Groups = ["coordination.k8s.io"], Resources = ["leases"], ResourceNames = ["lock"], Verbs = RbacVerb.Get | RbacVerb.Update)]
    private sealed class SecondWorker;
}
