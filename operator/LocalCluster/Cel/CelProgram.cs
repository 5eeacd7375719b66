using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>One compiled expression.</summary>
internal sealed record CelProgram(CelNode Root, CelType Type, bool UsesOldSelf, double MaxCost)
{
    public const string Self = "self";
    public const string OldSelf = "oldSelf";

    /// <summary>Compiles an expression over <c>self</c> and <c>oldSelf</c>.</summary>
    /// <param name="source">The text.</param>
    /// <param name="self">The type of both variables.</param>
    /// <param name="optionalOldSelf">Whether oldSelf is an optional of it.</param>
    /// <param name="error">Everything that is wrong, each with its line and a mark below it; null where nothing is.</param>
    public static CelProgram? Compile(string source, CelType self, bool optionalOldSelf, out string? error)
    {
        error = null;
        try
        {
            var root = CelParser.Parse(source);
            var checker = new CelChecker();
            var old = optionalOldSelf ? new CelType(CelKind.Optional, self) : self;
            var type = checker.Check(root, new(Self, self, new(OldSelf, old, null)));
            if (checker.Issues.Count == 0)
            {
                return new CelProgram(root, type, checker.UsedVariables.Contains(OldSelf), CelCost.Of(root));
            }
            error = string.Join("\n", checker.Issues.Select(i => i.Display(source)));
        }
        catch (CelSyntaxException e)
        {
            error = e.Issue.Display(source);
        }
        return null;
    }
}

/// <summary>A rule of a schema with its programs.</summary>
/// <param name="Rule">The rule as it stands in the schema.</param>
/// <param name="Program">The condition.</param>
/// <param name="Message">The program of messageExpression, or null.</param>
internal sealed record CompiledRule(ValidationRule Rule, CelProgram Program, CelProgram? Message)
{
    /// <summary>The rule as messages about it name it.</summary>
    public string Name => string.IsNullOrEmpty(Rule.Message) ? Rule.Rule.Trim() : Rule.Message.Trim();
}

/// <summary>The rules of a node of a schema, and of what is below it; nodes without any rule below are left out.</summary>
internal sealed record CelRuleNode(
    TypeSchema Schema,
    IReadOnlyList<CompiledRule> Rules,
    IReadOnlyDictionary<string, CelRuleNode> Properties,
    CelRuleNode? Items,
    CelRuleNode? AdditionalProperties)
{
    public bool IsEmpty => Rules.Count == 0 && Properties.Count == 0 && Items is null && AdditionalProperties is null;
}
