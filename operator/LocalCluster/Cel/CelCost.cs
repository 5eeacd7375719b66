namespace Graft.LocalCluster.Cel;

/// <summary>
/// The most that an expression can cost on objects that its schema permits: a step per node, loops times the size of their range, and a
/// tenth of a step per character that a function looks at. A simplification of the API server's estimate, with its limits.
/// </summary>
internal static class CelCost
{
    public const double MaxPerExpression = 10_000_000;
    public const double MaxPerSchema = 100_000_000;

    private const double PerCharacter = 0.1;
    private const double PerPatternCharacter = 0.25;

    public static double Of(CelNode node) => node switch
    {
        LiteralNode => 0,
        MacroNode macro => Of(macro.Range) + (macro.Range.Type.MaxSize * (2 + Of(macro.Body) + (macro.Filter is null ? 0 : Of(macro.Filter)))),
        CallNode { Function: "_?_:_" } call => Of(call.Arguments[0]) + Math.Max(Of(call.Arguments[1]), Of(call.Arguments[2])),
        CallNode call => call.Parts.Sum(Of) + OfCall(call),
        ListNode => 10 + node.Parts.Sum(Of),
        MapNode => 30 + node.Parts.Sum(Of),
        _ => 1 + node.Parts.Sum(Of),
    };

    private static double OfCall(CallNode call)
    {
        var sizes = call.Arguments.Select(a => (double)a.Type.MaxSize).ToList();
        return call.Function switch
        {
            "_==_" or "_!=_" => Math.Max(1, Math.Min(Content(call.Arguments[0].Type), Content(call.Arguments[1].Type)) * PerCharacter),
            "_<_" or "_<=_" or "_>_" or "_>=_" => Math.Max(1, sizes.Min() * PerCharacter),
            "@in" => call.Arguments[1].Type.Kind == CelKind.List ? sizes[1] : 1,
            "startsWith" or "endsWith" => 1 + (sizes[1] * PerCharacter),
            "contains" => 1 + (sizes[0] * PerCharacter * sizes[1] * PerCharacter),
            "matches" => (1 + (sizes[0] * PerCharacter)) * Math.Max(1, sizes[1] * PerPatternCharacter),
            "size" or "_[_]" or "hasValue" or "value" or "orValue" => 1,
            "_&&_" or "_||_" or "!_" or "-_" => 1,
            _ => 1 + (sizes.Sum() * PerCharacter),
        };
    }

    /// <summary>How much of a value a comparison may look at.</summary>
    private static double Content(CelType type) => type.Kind switch
    {
        CelKind.List or CelKind.Map => type.MaxSize * Math.Max(1, type.Element is null ? 1 : Content(type.Element)),
        CelKind.Object => Math.Max(1, type.MaxSize),
        _ => type.MaxSize,
    };
}
