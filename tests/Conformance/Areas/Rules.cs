using Graft.Conformance.Harness;
using static Graft.Conformance.Areas.Definition;

namespace Graft.Conformance.Areas;

internal static class Rules
{
    private const string Place = "schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule";

    public static Area Area => new("Validation rules (CEL)",
    [
        Ruled("An object that breaks a rule is refused with the rule's message", """{"rule": "self.min <= self.max", "message": "min is above max"}""", async d =>
            (await MakeAsync(d, """{"min": 2, "max": 1}""")).Refuses(422, "Invalid", "spec: Invalid value", "min is above max")),
        Ruled("An object that keeps a rule is taken", """{"rule": "self.min <= self.max"}""", async d => (await MakeAsync(d, """{"min": 1, "max": 2}""")).Is(201)),
        Ruled("A rule without a message is named itself", """{"rule": "self.min <= self.max"}""", async d =>
            (await MakeAsync(d, """{"min": 2, "max": 1}""")).Refuses(422, "Invalid", "failed rule: self.min <= self.max")),
        Ruled("A message can be an expression", """{"rule": "self.min <= self.max", "messageExpression": "'min ' + string(self.min) + ' is above ' + string(self.max)"}""",
            async d => (await MakeAsync(d, """{"min": 2, "max": 1}""")).Refuses(422, "Invalid", "min 2 is above 1")),
        Ruled("A rule can blame one field, for a reason", """{"rule": "self.min <= self.max", "fieldPath": ".min", "reason": "FieldValueForbidden", "message": "too much"}""",
            async d => (await MakeAsync(d, """{"min": 2, "max": 1}""")).Refuses(422, "Invalid", "spec.min: Forbidden: too much").Blames("spec.min", "FieldValueForbidden")),
        Ruled("A rule about the old value holds for changes alone", """{"rule": "self.min >= oldSelf.min", "message": "min may not fall"}""", async d =>
        {
            (await MakeAsync(d, """{"min": 2, "max": 3}""")).Is(201);
            (await d.Space.PatchAsync($"{d.In()}/a", "merge", """{"spec": {"min": 1}}""")).Refuses(422, "Invalid", "min may not fall");
            (await d.Space.PatchAsync($"{d.In()}/a", "merge", """{"spec": {"min": 3}}""")).Is(200);
        }),
        Ruled("With optionalOldSelf a rule about the old value holds for creations too", """
            {"rule": "!oldSelf.hasValue() && self.min == 0 || oldSelf.hasValue()", "optionalOldSelf": true, "message": "begin with 0"}
            """, async d =>
        {
            (await MakeAsync(d, """{"min": 1, "max": 1}""")).Refuses(422, "Invalid", "begin with 0");
            (await MakeAsync(d, """{"min": 0, "max": 1}""")).Is(201);
            (await d.Space.PatchAsync($"{d.In()}/a", "merge", """{"spec": {"min": 1}}""")).Is(200);
        }),
        Ruled("has tells whether a field is there, and macros go over lists", """{"rule": "!has(self.names) || self.names.all(n, n.startsWith('x')) && self.names.exists_one(n, n == 'x1')", "message": "names"}""", async d =>
        {
            (await MakeAsync(d, """{"names": ["x1", "x2"]}""")).Is(201);
            (await d.Space.PostAsync(d.In(), d.Object("b", """{"spec": {}}"""))).Is(201);
            (await d.Space.PostAsync(d.In(), d.Object("c", """{"spec": {"names": ["y"]}}"""))).Refuses(422, "Invalid", "names");
        }),
        new("What was wrong before a rule came may stay as it is, but not change into something else that is wrong", Sources.Ratcheting, s => ServedAsync(s,
            Properties(""), async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"min": 2, "max": 1, "names": ["x"]}}"""))).Is(201);
            var changed = (await s.GetAsync(d.Path)).Object;
            changed["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["min"]!["maximum"] = 1;
            (await s.PutAsync(d.Path, changed)).Is(200);
            await s.UntilAsync("the new schema counts", async () =>
                (await s.PostAsync($"{d.In()}?dryRun=All", d.Object("b", """{"spec": {"min": 2}}"""))).Code == 422);

            (await s.PatchAsync($"{d.In()}/a", "merge", """{"metadata": {"labels": {"x": "1"}}}""")).Is(200);
            (await s.PatchAsync($"{d.In()}/a", "merge", """{"spec": {"min": 3}}""")).Refuses(422, "Invalid", "spec.min");
        })),
        Refused("A rule that does not parse is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "self.min <="}""")), Place, "compilation failed", "Syntax error"),
        Refused("A rule about a field that is not there is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "self.other > 1"}""")), Place, "undefined field 'other'"),
        Refused("A rule with a function that is not there is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "explode(self.min)"}""")), Place,
            "undeclared reference to 'explode'"),
        Refused("A rule that compares different types is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "self.min == 'x'"}""")), Place,
            "found no matching overload for '_==_' applied to '(int, string)'"),
        Refused("A rule that is no condition is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "self.min + 1"}""")), Place, "must evaluate to a bool"),
        Refused("A message expression that is no text is refused", Sources.Rules, d => d.Make1(Properties("""{"rule": "true", "messageExpression": "1"}""")),
            "messageExpression", "must evaluate to a string"),
        Refused("A rule that may cost too much is refused", Sources.RuleBudget, d => d.Make1("""
            "spec": {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}},
              "x-kubernetes-validations": [{"rule": "self.l.all(a, self.l.all(b, a.all(x, b.all(y, x == y))))"}]}
            """), Place, "estimated rule cost exceeds budget by factor of more than 100x"),
    ]);

    private static string Properties(string rule)
    {
        var rules = rule.Length > 0 ? $", \"x-kubernetes-validations\": [{rule}]" : "";
        return """
            "spec": {"type": "object", "properties": {"min": {"type": "integer"}, "max": {"type": "integer"},
              "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 20}}}
            """ + rules + "}";
    }

    private static Case Ruled(string sentence, string rule, Func<Definition, Task> see) =>
        new(sentence, Sources.Rules, s => ServedAsync(s, Properties(rule), see));

    private static Task<Answer> MakeAsync(Definition d, string spec) => d.Space.PostAsync(d.In(), d.Object("a", $$"""{"spec": {{spec}}}"""));
}
