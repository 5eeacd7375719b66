using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Schema;

public sealed class DefaultingAndPruningTests
{
    [Theory]
    [InlineData("an absent field is filled", "{'type':'integer','default':3}", "{}", "{'x':3}")]
    [InlineData("a present field stays", "{'type':'integer','default':3}", "{'x':4}", "{'x':4}")]
    [InlineData("null counts as absent", "{'type':'integer','default':3}", "{'x':null}", "{'x':3}")]
    [InlineData("null stays where it is permitted", "{'type':'integer','default':3,'nullable':true}", "{'x':null}", "{'x':null}")]
    [InlineData("null goes where nothing fills it", "{'type':'integer'}", "{'x':null}", "{}")]
    [InlineData("no parent is made for a default", "{'type':'object','properties':{'a':{'type':'integer','default':1}}}", "{}", "{}")]
    [InlineData("members of a present parent are filled", "{'type':'object','properties':{'a':{'type':'integer','default':1}}}", "{'x':{}}", "{'x':{'a':1}}")]
    [InlineData("a default object gets its own defaults", "{'type':'object','default':{},'properties':{'a':{'type':'integer','default':1}}}", "{}", "{'x':{'a':1}}")]
    [InlineData("items are filled", "{'type':'array','items':{'type':'object','properties':{'a':{'type':'integer','default':1}}}}", "{'x':[{},{'a':2}]}", "{'x':[{'a':1},{'a':2}]}")]
    [InlineData("values of maps are filled", "{'type':'object','additionalProperties':{'type':'object','properties':{'a':{'type':'integer','default':1}}}}", "{'x':{'k':{}}}", "{'x':{'k':{'a':1}}}")]
    [InlineData("false is a default too", "{'type':'boolean','default':false}", "{}", "{'x':false}")]
    [InlineData("nulls in lists stay", "{'type':'array','items':{'type':'string'}}", "{'x':[null]}", "{'x':[null]}")]
    public void Defaults_fill_what_is_absent(string rule, string field, string spec, string expected)
    {
        Assert.NotEmpty(rule);
        var value = Object("{'spec':" + spec + "}");
        Defaulting.Apply(value, WithField(field));
        AssertJson("{'spec':" + expected + "}", value);
        Defaulting.Apply(value, WithField(field));
        AssertJson("{'spec':" + expected + "}", value);
    }

    [Theory]
    [InlineData("{'apiVersion':'v1','kind':'K','metadata':{'name':'a'},'spec':{'x':{}}}", "")]
    [InlineData("{'other':1}", "other")]
    [InlineData("{'metadata':{'name':'a','nmae':'b'}}", "metadata.nmae")]
    [InlineData("{'spec':{'y':1,'x':{'z':2}}}", "spec.y spec.x.z")]
    [InlineData("{'spec':{'x':{'list':[{'a':1},{'b':2}]}}}", "spec.x.list[1].b")]
    [InlineData("{'spec':{'x':{'map':{'k':{'a':1,'c':2}}}}}", "spec.x.map.k.c")]
    [InlineData("{'spec':{'x':{'open':{'any':{'thing':1}}}}}", "")]
    [InlineData("{'spec':{'x':{'half':{'any':{'thing':1},'known':{'b':1}}}}}", "spec.x.half.known.b")]
    [InlineData("{'spec':{'x':{'bag':{'a':{'b':1}}}}}", "")]
    public void Unknown_fields_are_removed_and_named(string json, string expected)
    {
        var schema = WithField("""
            {'type':'object','properties':{
              'list':{'type':'array','items':{'type':'object','properties':{'a':{'type':'integer'}}}},
              'map':{'type':'object','additionalProperties':{'type':'object','properties':{'a':{'type':'integer'}}}},
              'open':{'x-kubernetes-preserve-unknown-fields':true},
              'bag':{'type':'object','additionalProperties':true},
              'half':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'known':{'type':'object','properties':{'a':{'type':'integer'}}}}}}}
            """);
        var value = Object(json);
        Assert.Equal(expected, string.Join(' ', Pruning.Find(value, schema)));
        AssertJson(json, value);
        Assert.Equal(expected, string.Join(' ', Pruning.Apply(value, schema)));
        Assert.Empty(Pruning.Apply(value, schema));
    }

    [Theory]
    [InlineData("{'a':1,'a':2}", "a", "{'a':2}")]
    [InlineData("{'a':{'b':1,'b':2,'b':3}}", "a.b", "{'a':{'b':3}}")]
    [InlineData("{'a':[{'c':1},{'c':1,'c':2}]}", "a[1].c", "{'a':[{'c':1},{'c':2}]}")]
    [InlineData("{'a':1,'b':{'a':1}}", "", "{'a':1,'b':{'a':1}}")]
    public void Members_that_stand_twice_are_reported_and_the_last_counts(string json, string expected, string value)
    {
        var node = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(json.Replace('\'', '"')), out var duplicates);
        Assert.Equal(expected, string.Join(' ', duplicates));
        AssertJson(value, node);
    }

    [Theory]
    [InlineData("2e-4", "0.0002")]
    [InlineData("0.0002", "0.0002")]
    [InlineData("0.00", "0")]
    [InlineData("1.0", "1")]
    [InlineData("1e-5", "0.00001")]
    [InlineData("1e-7", "1e-7")]
    [InlineData("1.5e21", "1.5e+21")]
    [InlineData("1e20", "100000000000000000000")]
    [InlineData("123456789012345678", "123456789012345678")]
    [InlineData("12345678901234567890", "12345678901234567000")]
    [InlineData("-1.25E2", "-125")]
    [InlineData("-0.000001", "-0.000001")]
    public void Numbers_have_one_text(string json, string expected) =>
        Assert.Equal("{\"a\":" + expected + "}", StrictJson.Parse("{\"a\":" + json + "}")!.ToJsonString());

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("{'a':1e999}")]
    [InlineData("{'a':'\\ud800'}")]
    public void What_is_no_json_is_refused(string json) =>
        Assert.Throws<JsonSyntaxException>(() => StrictJson.Parse(json.Replace('\'', '"')));

    [Fact]
    public void A_tower_of_brackets_is_refused() =>
        Assert.Throws<JsonSyntaxException>(() => StrictJson.Parse(new string('[', 100_000)));
}
