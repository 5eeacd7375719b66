using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>Runs the rules of a schema over one object within a budget for the whole request.</summary>
internal sealed class CelRuleRunner
{
    private const long PerRuleBudget = 2_000_000;
    private const long RequestBudget = 20_000_000;
    private const int MaxMessageBytes = 5 * 1024;

    private readonly List<FieldError> _errors = [];
    private long _left = RequestBudget;

    public IReadOnlyList<FieldError> Run(CelRuleNode root, JsonObject value, JsonObject? old)
    {
        Walk(root, value, new Before(old is not null, old, IsUnchanged: false), "");
        return _errors;
    }

    private void Walk(CelRuleNode node, JsonNode? value, Before before, string path)
    {
        // A null is the business of the rules around it.
        if (value is null || _left < 0)
        {
            return;
        }
        var isUnchanged = before.Exists ? JsonEquality.Same(value, before.Value) : before.IsUnchanged;
        if (node.Rules.Count > 0)
        {
            RunRules(node, value, before, isUnchanged, path);
        }
        switch (value)
        {
            case JsonArray list when node.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    var at = string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]");
                    var same = node.Schema.ListType == "map" && before.Value is JsonArray old ? ListKeys.Find(old, list[i], node.Schema) : null;
                    Walk(items, list[i], new Before(same is not null, same, isUnchanged), at);
                }
                break;
            case JsonObject o:
                foreach (var (name, member) in o)
                {
                    var isDeclared = node.Properties.TryGetValue(name, out var below);
                    if ((below ?? node.AdditionalProperties) is not { } rules || (!isDeclared && node.Schema.Properties.ContainsKey(name)))
                    {
                        continue;
                    }
                    JsonNode? oldMember = null;
                    var exists = node.Schema.MapType != "atomic" && before.Value is JsonObject oldMap
                        && oldMap.TryGetPropertyValue(name, out oldMember);
                    Walk(rules, member, new Before(exists, oldMember, isUnchanged), isDeclared ? Join(path, name) : $"{path}[{name}]");
                }
                break;
        }
    }

    private void RunRules(CelRuleNode node, JsonNode value, Before before, bool isUnchanged, string path)
    {
        var schema = path.Length == 0 || node.Schema.EmbeddedResource ? CelType.Of(node.Schema, isResource: true)!.Schema! : node.Schema;
        object? self, oldSelf;
        try
        {
            self = CelValues.Of(value, schema);
            oldSelf = before.Value is null ? null : CelValues.Of(before.Value, schema);
        }
        catch (CelEvaluationException e)
        {
            Add(node, path, e.Message);
            return;
        }
        foreach (var rule in node.Rules)
        {
            var hasOld = before is { Exists: true, Value: not null };
            if (rule.Program.UsesOldSelf && !hasOld && rule.Rule.OptionalOldSelf != true)
            {
                continue;
            }
            var old = rule.Rule.OptionalOldSelf == true ? new CelOptional(hasOld, oldSelf) : oldSelf;
            RunRule(node, rule, new(CelProgram.Self, self, new(CelProgram.OldSelf, old, null)), isUnchanged, path);
            if (_left < 0)
            {
                return;
            }
        }
    }

    private void RunRule(CelRuleNode node, CompiledRule rule, CelEvaluator.Scope scope, bool isUnchanged, string path)
    {
        if (_left == 0)
        {
            Exhausted(node, path);
            return;
        }
        var evaluator = new CelEvaluator(Math.Min(PerRuleBudget, _left));
        try
        {
            var holds = evaluator.Evaluate(rule.Program.Root, scope);
            _left -= evaluator.Cost;
            // What was wrong already and did not change may stay, unless the rule is about changes.
            if (holds is not true && (rule.Program.UsesOldSelf || !isUnchanged))
            {
                _errors.Add(Failure(node, rule, scope, path));
            }
        }
        catch (CelEvaluationException e) when (e.Message == "no such overload")
        {
            Add(node, path, $"'{e.Message}': call arguments did not match a supported operator, function or macro signature for rule: {rule.Name}");
            _left -= evaluator.Cost;
        }
        catch (CelEvaluationException e)
        {
            Add(node, path, $"{e.Message} evaluating rule: {rule.Name}");
            _left -= evaluator.Cost;
        }
        catch (CelCostException) when (_left < PerRuleBudget)
        {
            Exhausted(node, path);
        }
        catch (CelCostException e)
        {
            Add(node, path, $"'{e.Message}': no further validation rules will be run due to call cost exceeds limit for rule: {rule.Name}");
            _left = -1;
        }
    }

    private FieldError Failure(CelRuleNode node, CompiledRule rule, CelEvaluator.Scope scope, string path)
    {
        var detail = MessageOf(rule, scope) ?? (string.IsNullOrEmpty(rule.Rule.Message) ? $"failed rule: {rule.Name}" : rule.Rule.Message.Trim());
        var field = rule.Rule.FieldPath is { } below && CelFieldPath.Normalize(below, node.Schema, out _) is { Length: > 0 } normal
            ? normal[0] == '[' ? path + normal : Join(path, normal)
            : path;
        var type = JsonValue.Create(node.Schema.Type ?? "");
        return rule.Rule.Reason switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(field, detail),
            "FieldValueRequired" => FieldError.Required(field, detail),
            "FieldValueDuplicate" => FieldError.Duplicate(field, type),
            _ => FieldError.Invalid(field, type, detail),
        };
    }

    /// <summary>What messageExpression says, or null where it says nothing that can be shown.</summary>
    private string? MessageOf(CompiledRule rule, CelEvaluator.Scope scope)
    {
        if (rule.Message is not { } program || _left <= 0)
        {
            return null;
        }
        var evaluator = new CelEvaluator(Math.Min(PerRuleBudget, _left));
        try
        {
            var text = (evaluator.Evaluate(program.Root, scope) as string)?.Trim();
            return string.IsNullOrEmpty(text) || text.Contains('\n') || Encoding.UTF8.GetByteCount(text) > MaxMessageBytes ? null : text;
        }
        catch (Exception e) when (e is CelEvaluationException or CelCostException)
        {
            return null;
        }
        finally
        {
            _left = Math.Max(0, _left - evaluator.Cost);
        }
    }

    private void Exhausted(CelRuleNode node, string path)
    {
        Add(node, path, "validation failed due to running out of cost budget, no further validation rules will be run");
        _left = -1;
    }

    private void Add(CelRuleNode node, string path, string detail) => _errors.Add(FieldError.Invalid(path, node.Schema.Type ?? "", detail));

    private static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;

    /// <summary>The stored value of a node, where there is one that corresponds to it.</summary>
    /// <param name="Exists">Whether there is one.</param>
    /// <param name="Value">It.</param>
    /// <param name="IsUnchanged">Whether what surrounds it is as it was; counts where there is none.</param>
    private readonly record struct Before(bool Exists, JsonNode? Value, bool IsUnchanged);
}
