using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Schema;

public sealed class StructuralSchemaTests
{
    [Theory]
    [InlineData("{}", "s.type: Required value: must not be empty at the root")]
    [InlineData("{'type':'array','items':{'type':'string'}}", "s.type: Invalid value: \"array\": must be object at the root")]
    [InlineData("{'type':'object','additionalProperties':{'type':'string'}}", "s.additionalProperties: Forbidden: must not be used at the root")]
    [InlineData("{'type':'object','properties':{'a':{}}}", "s.properties[a].type: Required value: must not be empty for specified object fields")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array','items':{}}}}", "s.properties[a].items.type: Required value: must not be empty for specified array items")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array'}}}", "s.properties[a].items: Required value: must be specified")]
    [InlineData("{'type':'object','properties':{'a':{'type':'text'}}}", "s.properties[a].type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','pattern':'('}}}", "s.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't:")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','pattern':'(?=x)'}}}", "s.properties[a].pattern: Invalid value:")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','pattern':'(a)\\\\1'}}}", "s.properties[a].pattern: Invalid value:")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','anyOf':[{'type':'string'}]}}}", "s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','allOf':[{'description':'d'}]}}}", "s.properties[a].allOf[0].description: Forbidden: must be empty to be structural")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','not':{'nullable':true}}}}", "s.properties[a].not.nullable: Forbidden: must be false to be structural")]
    [InlineData("{'type':'object','oneOf':[{'properties':{'a':{'minimum':1}}}]}", "s.properties[a]: Required value: because it is defined in a nested value validation")]
    [InlineData("{'type':'object','properties':{'a':{'x-kubernetes-int-or-string':true,'x-kubernetes-preserve-unknown-fields':true}}}", "s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true")]
    [InlineData("{'type':'object','properties':{'a':{'x-kubernetes-embedded-resource':true,'x-kubernetes-preserve-unknown-fields':true}}}", "s.properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true")]
    [InlineData("{'type':'object','properties':{'metadata':{'type':'object','properties':{'labels':{'type':'object'}}}}}", "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified")]
    [InlineData("{'type':'object','properties':{'kind':{'type':'integer'}}}", "s.properties[kind].type: Invalid value: \"integer\": must be string")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array','x-kubernetes-list-type':'bag','items':{'type':'string'}}}}", "s.properties[a].x-kubernetes-list-type: Unsupported value: \"bag\": supported values: \"atomic\", \"map\", \"set\"")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array','x-kubernetes-list-type':'map','items':{'type':'object'}}}}", "s.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k'],'items':{'type':'object','properties':{'k':{'type':'string'}}}}}}", "s.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property")]
    [InlineData("{'type':'object','properties':{'a':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k'],'items':{'type':'object'}}}}", "s.properties[a].x-kubernetes-list-map-keys[0]: Invalid value: \"k\": entries must all be names of item properties")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','uniqueItems':true}}}", "s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic")]
    [InlineData("{'type':'object','properties':{'a':{'$ref':'#/x','type':'string'}}}", "s.properties[a].$ref: Forbidden: $ref is not supported")]
    [InlineData("{'type':'object','properties':{'a':{'type':'integer','default':'x'}}}", "s.properties[a].default: Invalid value: \"string\": s.properties[a].default in body must be of type integer: \"string\"")]
    [InlineData("{'type':'object','properties':{'a':{'type':'object','default':{'b':1}}}}", "s.properties[a].default: Invalid value: {\"b\":1}: must not have unknown fields")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','default':null}}}", "s.properties[a].default: Invalid value: null: must not be null, unless nullable is true")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','maxLength':'3'}}}", "s.properties[a].maxLength: Invalid value: \"3\": must be a number")]
    public void What_is_not_structural_is_refused_with_its_path(string schema, string expected)
    {
        Assert.Null(StructuralSchema.Parse(Object(schema), "s", out var errors));
        Assert.Contains(errors, e => e.ToString().StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{'type':'object','x-kubernetes-preserve-unknown-fields':true}")]
    [InlineData("{'type':'object','properties':{'a':{'x-kubernetes-int-or-string':true,'anyOf':[{'type':'integer'},{'type':'string'}]}}}")]
    [InlineData("{'type':'object','properties':{'a':{'x-kubernetes-int-or-string':true,'allOf':[{'anyOf':[{'type':'integer'},{'type':'string'}]},{'minimum':1}]}}}")]
    [InlineData("{'type':'object','properties':{'metadata':{'type':'object','properties':{'name':{'type':'string','maxLength':40}}}}}")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},'oneOf':[{'required':['a']},{'required':['b'],'properties':{'b':{'minLength':1}}}]}")]
    [InlineData("{'type':'object','properties':{'a':{'type':'object','default':{'b':1},'properties':{'b':{'type':'integer'}}}}}")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string','nullable':true,'default':null}}}")]
    public void What_is_structural_is_taken(string schema)
    {
        Assert.NotNull(StructuralSchema.Parse(Object(schema), "s", out var errors));
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("^a$", "a\n", false)]
    [InlineData("^[[:alpha:]]+$", "abc", true)]
    [InlineData("^[[:alpha:]_]+$", "a1", false)]
    [InlineData(@"^\d+$", "٣", false)]
    [InlineData(@"^\w+$", "ä", false)]
    [InlineData(@"^[\d.]+$", "1.5", true)]
    [InlineData("^(?P<n>a)$", "a", true)]
    [InlineData(@"^\pL+$", "ä", true)]
    [InlineData(@"^\Qa.b\E$", "a.b", true)]
    [InlineData(@"^\Qa.b\E$", "axb", false)]
    [InlineData("^[]a]+$", "]a", true)]
    [InlineData("^[a-z-[b]$", "[", true)]
    public void Patterns_mean_what_they_mean_to_the_server(string pattern, string text, bool matches) =>
        Assert.Equal(matches, GoRegex.TryCompile(pattern, out _)!.IsMatch(text));
}
