using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Schema;

public sealed class SchemaValidatorTests
{
    [Theory]
    [InlineData("{'type':'integer'}", "'a'", "spec.x: Invalid value: \"string\": spec.x in body must be of type integer: \"string\"")]
    [InlineData("{'type':'integer'}", "1.5", "spec.x: Invalid value: \"number\": spec.x in body must be of type integer: \"number\"")]
    [InlineData("{'type':'string'}", "1", "spec.x: Invalid value: \"integer\": spec.x in body must be of type string: \"integer\"")]
    [InlineData("{'type':'boolean'}", "'true'", "spec.x: Invalid value: \"string\": spec.x in body must be of type boolean: \"string\"")]
    [InlineData("{'type':'object'}", "[]", "spec.x: Invalid value: \"array\": spec.x in body must be of type object: \"array\"")]
    [InlineData("{'type':'array','items':{'type':'string'}}", "{}", "spec.x: Invalid value: \"object\": spec.x in body must be of type array: \"object\"")]
    [InlineData("{'type':'array','items':{'type':'string'}}", "['a',2]", "spec.x[1]: Invalid value: \"integer\": spec.x[1] in body must be of type string: \"integer\"")]
    [InlineData("{'type':'array','items':{'type':'string'}}", "[null]", "spec.x[0]: Invalid value: \"null\": spec.x[0] in body must be of type string: \"null\"")]
    [InlineData("{'type':'object','required':['a'],'properties':{'a':{'type':'string'}}}", "{}", "spec.x.a: Required value")]
    [InlineData("{'type':'string','enum':['A','B']}", "'C'", "spec.x: Unsupported value: \"C\": supported values: \"A\", \"B\"")]
    [InlineData("{'type':'integer','minimum':1}", "0", "spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1")]
    [InlineData("{'type':'integer','maximum':3}", "4", "spec.x: Invalid value: 4: spec.x in body should be less than or equal to 3")]
    [InlineData("{'type':'number','minimum':0,'exclusiveMinimum':true}", "0", "spec.x: Invalid value: 0: spec.x in body should be greater than 0")]
    [InlineData("{'type':'number','maximum':1,'exclusiveMaximum':true}", "1.0", "spec.x: Invalid value: 1: spec.x in body should be less than 1")]
    [InlineData("{'type':'number','minimum':0.5}", "2e-4", "spec.x: Invalid value: 0.0002: spec.x in body should be greater than or equal to 0.5")]
    [InlineData("{'type':'integer','multipleOf':5}", "7", "spec.x: Invalid value: 7: spec.x in body should be a multiple of 5")]
    [InlineData("{'type':'string','minLength':2}", "'a'", "spec.x: Invalid value: \"a\": spec.x in body should be at least 2 chars long")]
    [InlineData("{'type':'string','maxLength':2}", "'abc'", "spec.x: Too long: may not be more than 2 bytes")]
    [InlineData("{'type':'string','pattern':'^[a-z]+$'}", "'A'", "spec.x: Invalid value: \"A\": spec.x in body should match '^[a-z]+$'")]
    [InlineData("{'type':'array','minItems':1,'items':{'type':'string'}}", "[]", "spec.x: Invalid value: 0: spec.x in body should have at least 1 items")]
    [InlineData("{'type':'array','maxItems':1,'items':{'type':'string'}}", "['a','b']", "spec.x: Too many: 2: must have at most 1 items")]
    [InlineData("{'type':'object','maxProperties':1,'additionalProperties':{'type':'string'}}", "{'a':'','b':''}", "spec.x: Too many: 2: must have at most 1 items")]
    [InlineData("{'type':'object','minProperties':1,'additionalProperties':{'type':'string'}}", "{}", "spec.x: Invalid value: 1: spec.x in body should have at least 1 properties")]
    [InlineData("{'type':'object','additionalProperties':{'type':'integer'}}", "{'k':'v'}", "spec.x.k: Invalid value: \"string\": spec.x.k in body must be of type integer: \"string\"")]
    [InlineData("{'type':'string','format':'date-time'}", "'yesterday'", "spec.x: Invalid value: \"yesterday\": spec.x in body must be of type date-time: \"yesterday\"")]
    [InlineData("{'type':'integer','format':'int32'}", "3000000000", "spec.x: Invalid value: 3000000000: Checked value must be of type integer with format int32 in spec.x")]
    [InlineData("{'x-kubernetes-int-or-string':true}", "true", "spec.x: Invalid value: \"boolean\": spec.x in body must be of type integer,string: \"boolean\"")]
    [InlineData("{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}}", "['a','b','a']", "spec.x[2]: Duplicate value: \"a\"")]
    [InlineData("{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['n'],'items':{'type':'object','required':['n'],'properties':{'n':{'type':'string'}}}}", "[{'n':'a'},{'n':'a'}]", "spec.x[1]: Duplicate value: {\"n\":\"a\"}")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},'oneOf':[{'required':['a']},{'required':['b']}]}", "{}", "spec.x: Invalid value: \"\": \"spec.x\" must validate one and only one schema (oneOf). Found none valid")]
    [InlineData("{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}},'oneOf':[{'required':['a']},{'required':['b']}]}", "{'a':'','b':''}", "spec.x: Invalid value: \"\": \"spec.x\" must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("{'type':'integer','anyOf':[{'maximum':1},{'minimum':9}]}", "5", "spec.x: Invalid value: \"\": \"spec.x\" must validate at least one schema (anyOf)")]
    [InlineData("{'type':'integer','not':{'minimum':3}}", "5", "spec.x: Invalid value: \"\": \"spec.x\" must not validate the schema (not)")]
    [InlineData("{'type':'integer','allOf':[{'minimum':6}]}", "5", "spec.x: Invalid value: 5: spec.x in body should be greater than or equal to 6")]
    [InlineData("{'type':'object','x-kubernetes-embedded-resource':true,'x-kubernetes-preserve-unknown-fields':true}", "{'kind':'K'}", "spec.x.apiVersion: Required value: must not be empty")]
    public void What_is_wrong_is_said_in_the_servers_words(string field, string value, string expected)
    {
        var errors = SchemaValidator.Validate(Object("{'spec':{'x':" + value + "}}"), null, WithField(field));
        Assert.Equal([expected], errors.Select(e => e.ToString()));
    }

    [Theory]
    [InlineData("{'type':'integer'}", "2.0")]
    [InlineData("{'type':'number'}", "3")]
    [InlineData("{'type':'string','nullable':true}", "null")]
    [InlineData("{'type':'string','maxLength':2}", "'äö'")]
    [InlineData("{'type':'string','maxLength':1}", "'\U0001F600'")]
    [InlineData("{'x-kubernetes-int-or-string':true,'anyOf':[{'type':'integer'},{'type':'string'}]}", "'80%'")]
    [InlineData("{'x-kubernetes-int-or-string':true}", "80")]
    [InlineData("{'x-kubernetes-preserve-unknown-fields':true}", "[{'a':1}]")]
    [InlineData("{'type':'string','format':'date-time'}", "'2026-01-02T03:04:05Z'")]
    [InlineData("{'type':'string','format':'unheard-of'}", "'x'")]
    [InlineData("{'type':'string','pattern':'^\\\\d+$'}", "'12'")]
    [InlineData("{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}}", "['a','b']")]
    public void What_fits_passes(string field, string value) =>
        Assert.Empty(SchemaValidator.Validate(Object("{'spec':{'x':" + value + "}}"), null, WithField(field)));

    [Fact]
    public void All_errors_are_gathered()
    {
        var schema = SchemaOf("{'type':'object','required':['spec'],'properties':{'spec':{'type':'object','required':['a'],'properties':{'a':{'type':'string'},'b':{'type':'integer'},'c':{'type':'string','enum':['x']}}}}}");
        var errors = SchemaValidator.Validate(Object("{'spec':{'b':'1','c':'y'}}"), null, schema);
        Assert.Equal(["spec.a", "spec.b", "spec.c"], errors.Select(e => e.Field));
        Assert.StartsWith("[spec.a: Required value, spec.b: Invalid value", FieldError.Summary(errors));
    }

    [Theory]
    [InlineData("'short'", "an unchanged invalid field passes", true)]
    [InlineData("'other'", "a changed invalid field does not", false)]
    public void Invalid_fields_ratchet(string now, string rule, bool passes)
    {
        Assert.NotEmpty(rule);
        var schema = SchemaOf("{'type':'object','properties':{'spec':{'type':'object','properties':{'x':{'type':'string','maxLength':2},'y':{'type':'integer'}}}}}");
        var errors = SchemaValidator.Validate(Object("{'spec':{'x':" + now + ",'y':2}}"), Object("{'spec':{'x':'short','y':1}}"), schema);
        Assert.Equal(passes, errors.Count == 0);
    }

    [Fact]
    public void Items_of_a_map_list_ratchet_by_their_key_and_others_do_not()
    {
        const string Items = "{'type':'object','required':['n'],'properties':{'n':{'type':'string'},'v':{'type':'string','maxLength':1}}}";
        var map = WithField("{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['n'],'items':" + Items + "}");
        var atomic = WithField("{'type':'array','items':" + Items + "}");
        var old = Object("{'spec':{'x':[{'n':'a','v':'long'}]}}");
        var now = Object("{'spec':{'x':[{'n':'b','v':'s'},{'n':'a','v':'long'}]}}");
        Assert.Empty(SchemaValidator.Validate(now, old, map));
        Assert.Single(SchemaValidator.Validate(now, old, atomic));
    }

    [Fact]
    public void Metadata_has_its_types_whatever_the_schema_says()
    {
        var errors = SchemaValidator.Validate(Object("{'metadata':{'labels':{'a':1}}}"), null, SchemaOf("{'type':'object'}"));
        Assert.Equal("metadata.labels.a: Invalid value: \"integer\": metadata.labels.a in body must be of type string: \"integer\"", Assert.Single(errors).ToString());
    }
}
