using Graft.LocalCluster.Cel;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Cel;

public sealed class CelRulesTests
{
    [Theory]
    [InlineData("self.a < self.b", null, "{'a':1,'b':2}", null, null)]
    [InlineData("self.a < self.b", null, "{'a':2,'b':1}", null, "spec.x: Invalid value: \"object\": failed rule: self.a < self.b")]
    [InlineData("self.a < self.b", "'message':'a must be below b'", "{'a':2,'b':1}", null, "spec.x: Invalid value: \"object\": a must be below b")]
    [InlineData("self.a < self.b", "'messageExpression':\"\\u0027a is \\u0027 + string(self.a)\"", "{'a':2,'b':1}", null, "spec.x: Invalid value: \"object\": a is 2")]
    [InlineData("self.a < self.b", "'message':'plain','messageExpression':\"\\u0027a is \\u0027 + string(self.list[0])\"", "{'a':2,'b':1}", null, "spec.x: Invalid value: \"object\": plain")]
    [InlineData("self.a < self.b", "'message':'no','reason':'FieldValueForbidden','fieldPath':'.a'", "{'a':2,'b':1}", null, "spec.x.a: Forbidden: no")]
    [InlineData("self.a < self.b", "'message':'no','reason':'FieldValueRequired'", "{'a':2,'b':1}", null, "spec.x: Required value: no")]
    [InlineData("self.a < self.b", null, "{'a':2}", null, "spec.x: Invalid value: \"object\": no such key: b evaluating rule: self.a < self.b")]
    [InlineData("self == oldSelf", "'message':'immutable'", "{'a':1}", null, null)]
    [InlineData("self == oldSelf", "'message':'immutable'", "{'a':1}", "{'a':1}", null)]
    [InlineData("self == oldSelf", "'message':'immutable'", "{'a':2}", "{'a':1}", "spec.x: Invalid value: \"object\": immutable")]
    [InlineData("self.a == oldSelf.a", "'message':'immutable'", "{'a':1,'b':3}", "{'a':1,'b':2}", null)]
    [InlineData("has(self.a) == has(oldSelf.a)", "'message':'a cannot be added or removed'", "{'b':1}", "{'a':1,'b':1}", "spec.x: Invalid value: \"object\": a cannot be added or removed")]
    [InlineData("oldSelf.hasValue() || self.a == 1", "'optionalOldSelf':true,'message':'must begin with 1'", "{'a':2}", null, "spec.x: Invalid value: \"object\": must begin with 1")]
    [InlineData("oldSelf.hasValue() || self.a == 1", "'optionalOldSelf':true", "{'a':2}", "{'a':1}", null)]
    [InlineData("!oldSelf.hasValue() || oldSelf.value().a <= self.a", "'optionalOldSelf':true,'message':'may only grow'", "{'a':1}", "{'a':2}", "spec.x: Invalid value: \"object\": may only grow")]
    [InlineData("[has(self.a), has(self.b)].filter(x, x).size() == 1", "'message':'exactly one of a and b'", "{'a':1,'b':1}", null, "spec.x: Invalid value: \"object\": exactly one of a and b")]
    [InlineData("[has(self.a), has(self.b)].exists_one(x, x)", "'message':'exactly one of a and b'", "{'b':1}", null, null)]
    public void Rules_run_on_their_node(string rule, string? more, string value, string? old, string? expected)
    {
        var rules = Compile("{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'integer'},'list':{'type':'array','maxItems':3,'items':{'type':'string','maxLength':5}}},'x-kubernetes-validations':["
            + RuleJson(rule, more) + "]}");
        var errors = rules.Validate(Spec(value), old is null ? null : Spec(old));
        Assert.Equal(expected is null ? [] : [expected], errors.Select(e => e.ToString()));
    }

    [Fact]
    public void Unchanged_values_may_break_a_rule_but_not_a_transition()
    {
        var rules = Compile("{'type':'object','properties':{'a':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self.a > 5','message':'too small'},{'rule':'self.a > oldSelf.a','message':'must grow'}]}");
        Assert.Equal(["too small"], rules.Validate(Spec("{'a':1}"), null).Select(e => e.Detail));
        Assert.Equal(["must grow"], rules.Validate(Spec("{'a':1}"), Spec("{'a':1}")).Select(e => e.Detail));
        Assert.Equal(["too small"], rules.Validate(Spec("{'a':2}"), Spec("{'a':1}")).Select(e => e.Detail));
    }

    [Fact]
    public void Rules_on_items_run_for_each_and_know_the_old_item_by_its_key()
    {
        var rules = Compile("{'type':'array','maxItems':5,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['n'],'items':{'type':'object','required':['n'],'properties':{'n':{'type':'string','maxLength':9},'v':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self.v >= oldSelf.v','message':'may only grow'},{'rule':'self.v < 10','message':'too large'}]}}");
        var errors = rules.Validate(Spec("[{'n':'b','v':11},{'n':'a','v':1}]"), Spec("[{'n':'a','v':2}]"));
        Assert.Equal(["spec.x[0]: too large", "spec.x[1]: may only grow"], errors.Select(e => $"{e.Field}: {e.Detail}"));
    }

    [Fact]
    public void Rules_on_values_of_maps_name_the_key()
    {
        var rules = Compile("{'type':'object','maxProperties':5,'additionalProperties':{'type':'integer','x-kubernetes-validations':[{'rule':'self > 0'}]}}");
        Assert.Equal("spec.x[k]: Invalid value: \"integer\": failed rule: self > 0", Assert.Single(rules.Validate(Spec("{'k':0,'l':1}"), null)).ToString());
    }

    [Fact]
    public void Rules_on_the_root_see_names()
    {
        var schema = SchemaOf("{'type':'object','x-kubernetes-validations':[{'rule':\"self.metadata.name.startsWith(\\u0027a\\u0027)\",'message':'name must begin with a'}]}");
        var rules = CelRules.Compile(schema, "s", out var errors);
        Assert.Empty(errors);
        Assert.Empty(rules!.Validate(Object("{'metadata':{'name':'ab'}}"), null));
        Assert.Equal("<nil>: Invalid value: \"object\": name must begin with a", Assert.Single(rules.Validate(Object("{'metadata':{'name':'b'}}"), null)).ToString());
    }

    [Theory]
    [InlineData("{'type':'object','properties':{'a':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self.b == 1'}]}", "[0].rule: Invalid value: \"self.b == 1\": compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self + 1'}]}", "[0].rule: Invalid value: \"self + 1\": cel expression must evaluate to a bool")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':' '}]}", "[0].rule: Required value: rule is not specified")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'true','message':'a\\nb'}]}", "[0].message: Invalid value: \"a\\nb\": message must not contain line breaks")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self >\\n0'}]}", "[0].message: Required value: message must be specified if rule contains line breaks")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self > 0','messageExpression':'1'}]}", "[0].messageExpression: Invalid value: \"1\": messageExpression must evaluate to a string")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self > 0','messageExpression':'x'}]}", "[0].messageExpression: Invalid value: \"x\": messageExpression compilation failed: ERROR: <input>:1:1: undeclared reference to 'x'")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self > 0','reason':'Odd'}]}", "[0].reason: Unsupported value: \"Odd\": supported values: \"FieldValueDuplicate\"")]
    [InlineData("{'type':'object','properties':{'a':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self.a > 0','fieldPath':'.b'}]}", "[0].fieldPath: Invalid value: \".b\": fieldPath must be a valid path: does not refer to a valid field")]
    [InlineData("{'type':'integer','x-kubernetes-validations':[{'rule':'self > 0','optionalOldSelf':true}]}", "[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule")]
    [InlineData("{'type':'array','items':{'type':'integer','x-kubernetes-validations':[{'rule':'self > oldSelf'}]}}", ".items.x-kubernetes-validations[0].rule: Invalid value: \"self > oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec].properties[x]")]
    [InlineData("{'type':'array','items':{'type':'string'},'x-kubernetes-validations':[{'rule':'self.all(a, self.exists(b, a != b))'}]}", "[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)")]
    [InlineData("{'x-kubernetes-preserve-unknown-fields':true,'x-kubernetes-validations':[{'rule':'true'}]}", "[0].rule: Invalid value: \"true\": rule declared on schema that does not support validation rules")]
    public void What_a_definition_may_not_say_is_refused(string field, string expected)
    {
        Assert.Null(CelRules.Compile(WithField(field), "schema", out var errors));
        var prefix = "schema.properties[spec].properties[x]" + (expected[0] == '.' ? "" : ".x-kubernetes-validations");
        Assert.Contains(errors, e => e.ToString().StartsWith(prefix + expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Bounds_make_a_loop_affordable() => Compile(
        "{'type':'array','maxItems':100,'items':{'type':'string','maxLength':63},'x-kubernetes-validations':[{'rule':'self.all(a, self.exists(b, a != b))'}]}");

    [Fact]
    public void The_rules_of_a_schema_have_a_common_budget()
    {
        var heavy = "{'type':'array','maxItems':1000,'items':{'type':'integer'},'x-kubernetes-validations':[{'rule':'self.all(a, self.exists(b, a == b))'}]}";
        var schema = SchemaOf("{'type':'object','properties':{" + string.Join(',', Enumerable.Range(0, 40).Select(i => $"'p{i}':{heavy}")) + "}}");
        Assert.Null(CelRules.Compile(schema, "s", out var errors));
        Assert.Contains(errors, e => e.ToString().StartsWith("s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.Detail == "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
    }

    private static CelRules Compile(string field)
    {
        var rules = CelRules.Compile(WithField(field), "schema", out var errors);
        Assert.Empty(errors);
        return rules!;
    }

    private static string RuleJson(string rule, string? more) => "{'rule':\"" + rule + "\"" + (more is null ? "" : "," + more) + "}";

    private static System.Text.Json.Nodes.JsonObject Spec(string x) => Object("{'metadata':{'name':'o'},'spec':{'x':" + x + "}}");
}
