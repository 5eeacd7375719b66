using Graft.LocalCluster.Kinds;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Kinds;

public sealed class BuiltInSchemaTests
{
    private static readonly ModelSchemas Schemas = new();

    [Fact]
    public void Every_kind_knows_its_name_and_its_fields()
    {
        var kinds = BuiltInKinds.All(Schemas).ToList();
        Assert.All(kinds, kind => Assert.NotEmpty(kind.Plural));
        Assert.All(kinds, kind => Assert.NotNull(kind.Schema.Type.Member("metadata")));
        Assert.Equal(kinds.Count, kinds.DistinctBy(kind => (kind.Group, kind.Plural)).Count());
        Assert.DoesNotContain(kinds.SelectMany(kind => kind.ShortNames).GroupBy(name => name), group => group.Count() > 1);
    }

    /// <summary>A name in the table that no model has would be silently without effect.</summary>
    [Fact]
    public void Every_entry_of_the_merge_table_is_a_field_of_a_model()
    {
        foreach (var path in ListTopology.Paths)
        {
            var (model, field) = (path.Split('.')[0], path.Split('.')[1]);
            var type = typeof(V1Pod).Assembly.GetType("k8s.Models." + model);
            Assert.True(type is not null, path);
            Assert.True(Schemas.Of(type).Type.Member(field) is not null, path);
        }
        foreach (var model in ListTopology.Models)
            Assert.True(typeof(V1Pod).Assembly.GetType("k8s.Models." + model) is not null, model);
    }

    [Fact]
    public void A_schema_that_contains_itself_ends()
    {
        var schema = Schemas.Of(typeof(V1JSONSchemaProps)).Type;
        Assert.Same(schema, schema.Member("not"));
        Assert.Same(schema, schema.Member("properties")!.AdditionalProperties);
    }

    [Fact]
    public void Types_are_those_of_the_wire()
    {
        var container = Schemas.Of(typeof(V1Container)).Type;
        Assert.Equal(["containerPort", "protocol"], container.Member("ports")!.ListMapKeys);
        Assert.Equal("TCP", container.Member("ports")!.Items!.Member("protocol")!.Default!.GetValue<string>());
        Assert.True(Schemas.Of(typeof(V1ServicePort)).Type.Member("targetPort")!.IntOrString);
        Assert.Equal("byte", Schemas.Of(typeof(V1Secret)).Type.Member("data")!.AdditionalProperties!.Format);
        Assert.Equal("atomic", Schemas.Of(typeof(V1DeploymentSpec)).Type.Member("selector")!.MapType);
    }
}
