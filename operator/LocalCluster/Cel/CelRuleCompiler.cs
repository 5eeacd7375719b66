using System.Globalization;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>Compiles the rules of a schema, node by node, and adds up what they may cost.</summary>
internal sealed class CelRuleCompiler
{
    private const string Remedy =
        "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

    private static readonly string[] Reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    private readonly List<FieldError> _errors = [];
    private readonly List<(string Path, double Cost)> _costs = [];

    public IReadOnlyList<FieldError> Errors => _errors;

    /// <summary>Compiles a whole schema; the result counts only when there is no error.</summary>
    public CelRuleNode Compile(TypeSchema schema, string path)
    {
        var node = Compile(schema, path, new Place(1, null, IsRoot: true));
        var total = _costs.Sum(c => c.Cost);
        if (total > CelCost.MaxPerSchema)
        {
            foreach (var (at, _) in _costs.Where(c => c.Cost > CelCost.MaxPerSchema / 100).OrderByDescending(c => c.Cost).Take(4))
            {
                _errors.Add(FieldError.Forbidden(at, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"));
            }
            _errors.Add(FieldError.Forbidden(path, CostText(
                "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", total / CelCost.MaxPerSchema)));
        }
        return node;
    }

    private CelRuleNode Compile(TypeSchema schema, string path, Place place)
    {
        var type = schema.Validations.Count == 0 ? null : CelType.Of(schema, place.IsRoot);
        var rules = new List<CompiledRule>();
        for (var i = 0; i < schema.Validations.Count; i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{path}.x-kubernetes-validations[{i}]");
            if (CompileRule(schema.Validations[i], schema, type, at, place) is { } rule)
            {
                rules.Add(rule);
            }
        }
        var properties = new Dictionary<string, CelRuleNode>(StringComparer.Ordinal);
        foreach (var (name, property) in schema.Properties)
        {
            var below = schema.MapType == "atomic" ? place.Uncorrelatable(path) : place;
            var node = Compile(property, $"{path}.properties[{name}]", below with { IsRoot = false });
            if (!node.IsEmpty)
            {
                properties[name] = node;
            }
        }
        return new CelRuleNode(
            schema,
            rules,
            properties,
            Below(schema.Items, schema, $"{path}.items", place),
            Below(schema.AdditionalProperties, schema, $"{path}.additionalProperties", place));
    }

    private CelRuleNode? Below(TypeSchema? part, TypeSchema whole, string path, Place place)
    {
        if (part is null)
        {
            return null;
        }
        var isCorrelatable = whole.IsArray ? whole.ListType == "map" : whole.MapType != "atomic";
        var parent = path[..path.LastIndexOf('.')];
        var bound = whole.IsArray ? whole.MaxItems : whole.MaxProperties;
        var below = (isCorrelatable ? place : place.Uncorrelatable(parent)) with
        {
            IsRoot = false,
            // How often the part can stand in one request: as often as the bounds allow, or as fit into the largest request.
            Cardinality = place.Cardinality * (bound ?? CelType.Of(whole)?.MaxSize ?? CelType.MaxRequestBytes),
        };
        var node = Compile(part, path, below);
        return node.IsEmpty ? null : node;
    }

    private CompiledRule? CompileRule(ValidationRule rule, TypeSchema schema, CelType? type, string path, Place place)
    {
        CheckTexts(rule, schema, path);
        if (string.IsNullOrWhiteSpace(rule.Rule))
        {
            return null;
        }
        if (type is null)
        {
            _errors.Add(FieldError.Invalid(
                $"{path}.rule", rule.Rule, "rule declared on schema that does not support validation rules"));
            return null;
        }
        var program = CelProgram.Compile(rule.Rule, type, rule.OptionalOldSelf == true, out var error);
        if (program is null)
        {
            _errors.Add(FieldError.Invalid($"{path}.rule", rule.Rule, "compilation failed: " + error));
            return null;
        }
        if (program.Type.Kind is not (CelKind.Bool or CelKind.Dyn))
        {
            _errors.Add(FieldError.Invalid($"{path}.rule", rule.Rule, "cel expression must evaluate to a bool"));
        }
        if (program.UsesOldSelf && place.UncorrelatablePath is { } outer)
        {
            _errors.Add(FieldError.Invalid(
                $"{path}.rule", rule.Rule, $"oldSelf cannot be used on the uncorrelatable portion of the schema within {outer}"));
        }
        if (rule.OptionalOldSelf is not null && !program.UsesOldSelf)
        {
            _errors.Add(FieldError.Invalid($"{path}.optionalOldSelf", rule.OptionalOldSelf, "may not be set if oldSelf is not used in rule"));
        }
        CheckCost(program, $"{path}.rule", "estimated rule cost", place);
        return new CompiledRule(rule, program, CompileMessage(rule, type, path, place));
    }

    private CelProgram? CompileMessage(ValidationRule rule, CelType type, string path, Place place)
    {
        if (string.IsNullOrWhiteSpace(rule.MessageExpression))
        {
            return null;
        }
        var program = CelProgram.Compile(rule.MessageExpression, type, rule.OptionalOldSelf == true, out var error);
        if (program is null)
        {
            _errors.Add(FieldError.Invalid(
                $"{path}.messageExpression", rule.MessageExpression, "messageExpression compilation failed: " + error));
            return null;
        }
        if (program.Type.Kind is not (CelKind.String or CelKind.Dyn))
        {
            _errors.Add(FieldError.Invalid(
                $"{path}.messageExpression", rule.MessageExpression, "messageExpression must evaluate to a string"));
        }
        CheckCost(program, $"{path}.messageExpression", "estimated messageExpression cost", place);
        return program;
    }

    private void CheckCost(CelProgram program, string path, string what, Place place)
    {
        var cost = program.MaxCost * place.Cardinality;
        if (cost > CelCost.MaxPerExpression)
        {
            _errors.Add(FieldError.Forbidden(path, CostText(what, cost / CelCost.MaxPerExpression)));
        }
        _costs.Add((path, cost));
    }

    private static string CostText(string what, double factor)
    {
        var text = factor > 100 ? "more than 100x" : string.Create(CultureInfo.InvariantCulture, $"{factor:0.0}x");
        return $"{what} exceeds budget by factor of {text} {Remedy}";
    }

    private void CheckTexts(ValidationRule rule, TypeSchema schema, string path)
    {
        if (string.IsNullOrWhiteSpace(rule.Rule))
        {
            _errors.Add(FieldError.Required($"{path}.rule", "rule is not specified"));
        }
        if (rule.Message is { Length: > 0 } message)
        {
            if (string.IsNullOrWhiteSpace(message))
            {
                _errors.Add(FieldError.Invalid($"{path}.message", message, "message must be non-empty if specified"));
            }
            else if (message.Trim().Contains('\n'))
            {
                _errors.Add(FieldError.Invalid($"{path}.message", message, "message must not contain line breaks"));
            }
        }
        else if (rule.Rule.Trim().Contains('\n'))
        {
            _errors.Add(FieldError.Required($"{path}.message", "message must be specified if rule contains line breaks"));
        }
        if (rule.MessageExpression is { } expression && string.IsNullOrWhiteSpace(expression))
        {
            _errors.Add(FieldError.Required($"{path}.messageExpression", "must be non-empty if specified"));
        }
        if (rule.Reason is { } reason && !Reasons.Contains(reason))
        {
            _errors.Add(FieldError.NotSupported($"{path}.reason", reason, Reasons));
        }
        if (rule.FieldPath is { } field && CelFieldPath.Normalize(field, schema, out var fault) is null)
        {
            _errors.Add(FieldError.Invalid($"{path}.fieldPath", field, $"fieldPath must be a valid path: {fault}"));
        }
    }

    /// <summary>
    /// Where a node stands: how often it can be in an object, and whether old and new values of it can be told to belong together.
    /// </summary>
    private sealed record Place(double Cardinality, string? UncorrelatablePath, bool IsRoot)
    {
        public Place Uncorrelatable(string path) => UncorrelatablePath is null ? this with { UncorrelatablePath = path } : this;
    }
}
