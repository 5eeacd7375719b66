using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Graft.LocalCluster.Apply;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Tests.Patching;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Apply;

public sealed class FieldSetTests
{
    [Theory]
    [InlineData("{'f:a':{}}")]
    [InlineData("{'f:a':{'.':{},'f:b':{}},'f:c':{'f:d':{}}}")]
    [InlineData("""{"f:list":{"k:{\"name\":\"a\",\"port\":80}":{".":{},"f:x":{}},"v:\"s\"":{},"v:3":{},"i:0":{}}}""")]
    public void Sets_survive_the_wire(string json) => AssertJson(json, FieldSet.FromJson(Object(json)).ToJson());

    [Fact]
    public void Keys_are_compared_in_canonical_form()
    {
        var written = FieldSet.FromJson(Object("""{"f:l":{"k:{\"b\": 1.0,\"a\":\"x\"}":{}}}"""));
        Assert.True(written.Has("f:l", """k:{"a":"x","b":1}"""));
    }

    [Fact]
    public void Unknown_kinds_of_elements_are_left_out() => AssertJson("{'f:a':{}}", FieldSet.FromJson(Object("{'f:a':{},'z:b':{},'x':{}}")).ToJson());

    [Theory]
    [InlineData("{'spec':{'replicas':1}}", ".spec .spec.replicas")]
    [InlineData("{'spec':{'names':['b','a']}}", ".spec .spec.names .spec.names[0] .spec.names[1]")]
    public void Fields_of_unknown_schemas_are_those_of_the_value(string value, string expected)
    {
        var atomic = expected.Split(' ').Where(p => !p.Contains('[')).ToArray();
        Assert.Equal(atomic, TypedFields.Of(Object(value), TypeSchema.Anything).Paths());
    }

    [Theory]
    [InlineData("{'spec':{'x':{'a':1,'b':{}}}}", ".spec.x.a .spec.x.b")]
    [InlineData("{'spec':{'x':{'set':['p','q']}}}", ".spec.x.set[=\"p\"] .spec.x.set[=\"q\"]")]
    [InlineData("{'spec':{'x':{'set':[]}}}", "")]
    [InlineData("{'spec':{'x':{'map':[{'n':'k','v':1}]}}}", ".spec.x.map[n=\"k\",p=\"TCP\"] .spec.x.map[n=\"k\",p=\"TCP\"].n .spec.x.map[n=\"k\",p=\"TCP\"].v")]
    [InlineData("{'spec':{'x':{'list':[1,2]}}}", ".spec.x.list")]
    [InlineData("{'spec':{'x':{'atom':{'a':1}}}}", ".spec.x.atom")]
    [InlineData("{'spec':{'x':{'labels':{'k':'v'}}}}", ".spec.x.labels.k")]
    [InlineData("{'spec':{'x':{'labels':null}}}", ".spec.x.labels")]
    [InlineData("{'metadata':{'labels':{'k':'v'},'finalizers':['a/b']}}", ".metadata.finalizers[=\"a/b\"] .metadata.labels.k")]
    public void Fields_follow_the_schema(string value, string expected) =>
        Assert.Equal(expected, string.Join(' ', TypedFields.Of(Object(value), TypedFields.Resource(ApplyMake.Schema)).Paths()));

    [Property(MaxTest = 200)]
    public bool The_algebra_of_sets_holds(int seed)
    {
        var random = new Random(seed);
        var (a, b, c) = (Random(random), Random(random), Random(random));
        return a.Union(b).SetEquals(b.Union(a))
            && a.Intersection(b).SetEquals(b.Intersection(a))
            && a.Union(b).Union(c).SetEquals(a.Union(b.Union(c)))
            && a.Intersection(b.Union(c)).SetEquals(a.Intersection(b).Union(a.Intersection(c)))
            && a.Difference(b).Union(a.Intersection(b)).SetEquals(a)
            && a.Difference(b).Intersection(b).IsEmpty
            && a.Difference(a).IsEmpty
            && a.Union(FieldSet.Empty).SetEquals(a)
            && FieldSet.FromJson(a.ToJson()).SetEquals(a);
    }

    [Property(MaxTest = 100)]
    public bool A_comparison_says_how_to_get_from_one_to_the_other(int seed)
    {
        var random = new Random(seed);
        var (old, now) = (RandomJson.Object(random, 3), RandomJson.Object(random, 3));
        var comparison = Comparison.Of(old, now, TypeSchema.Anything);
        return comparison.IsSame == JsonEquality.Same(old, now)
            && comparison.Added.Intersection(comparison.Modified).IsEmpty
            && comparison.Added.Intersection(comparison.Removed).IsEmpty
            && comparison.Removed.Intersection(comparison.Modified).IsEmpty
            && Comparison.Of(now, old, TypeSchema.Anything).Added.SetEquals(comparison.Removed);
    }

    private static FieldSet Random(Random random) => TypedFields.Of(RandomJson.Object(random, 3), TypeSchema.Anything);
}

/// <summary>What the tests of ownership share.</summary>
internal static class ApplyMake
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static TypeSchema Schema { get; } = WithField("""
        {'type':'object','properties':{
          'a':{'type':'integer'},
          'b':{'type':'object','properties':{'c':{'type':'integer'}}},
          'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},
          'map':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['n','p'],'items':{'type':'object','required':['n'],
            'properties':{'n':{'type':'string'},'p':{'type':'string','default':'TCP'},'v':{'type':'integer'},'w':{'type':'integer'}}}},
          'list':{'type':'array','items':{'type':'integer'}},
          'atom':{'type':'object','x-kubernetes-map-type':'atomic','properties':{'a':{'type':'integer'},'b':{'type':'integer'}}},
          'labels':{'type':'object','additionalProperties':{'type':'string'}}}}
        """);

    public static JsonObject Config(string x) => Object("{'apiVersion':'g/v1','kind':'K','metadata':{'name':'o'},'spec':{'x':" + x + "}}");

    public static JsonObject ApplyAs(JsonObject? live, string manager, string x, bool force = false, int second = 0) =>
        ManagedFields.Apply(live, Config(x), new FieldWriter(manager, "g/v1", "", Start.AddSeconds(second)), force, Schema);

    public static JsonObject UpdateAs(JsonObject? live, string manager, string x, int second = 0) =>
        ManagedFields.Update(live, Config(x), new FieldWriter(manager, "g/v1", "", Start.AddSeconds(second)), Schema);

    /// <summary>The owners as "manager/Operation: path path", in the order of managedFields, without the parents of fields.</summary>
    public static string Owners(JsonObject value) => string.Join("; ", ManagerEntry.ReadAll(value).Select(m =>
        $"{m.Manager}{(m.IsApply ? "" : "*")}: {string.Join(' ', m.Fields.Paths().Select(p => p.Replace(".spec.x", "", StringComparison.Ordinal)))}"));
}
