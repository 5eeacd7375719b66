using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Cel;

/// <summary>A node of an expression. The checker writes its type.</summary>
internal abstract class CelNode(int offset)
{
    public int Offset { get; } = offset;

    public CelType Type { get; set; } = CelType.Dyn;

    /// <summary>How deep the tree below is; the parser bounds it, since whoever walks the tree recurses.</summary>
    public int Depth { get; set; } = 1;

    public abstract IEnumerable<CelNode> Parts { get; }
}

internal sealed class LiteralNode(int offset, object? value) : CelNode(offset)
{
    public object? Value { get; } = value;

    public override IEnumerable<CelNode> Parts => [];
}

internal sealed class IdentifierNode(int offset, string name) : CelNode(offset)
{
    public string Name { get; } = name;

    public override IEnumerable<CelNode> Parts => [];
}

/// <summary><c>target.field</c>, or <c>has(target.field)</c>.</summary>
internal sealed class SelectNode(int offset, CelNode target, string field, bool isTest) : CelNode(offset)
{
    public CelNode Target { get; } = target;

    public string Field { get; } = field;

    public bool IsTest { get; } = isTest;

    public override IEnumerable<CelNode> Parts => [Target];
}

/// <summary><c>function(arguments)</c>, <c>receiver.function(arguments)</c> where the receiver stands first, or an operator by its name.</summary>
internal sealed class CallNode(int offset, string function, bool isMember, IReadOnlyList<CelNode> arguments) : CelNode(offset)
{
    public string Function { get; } = function;

    public bool IsMember { get; } = isMember;

    public IReadOnlyList<CelNode> Arguments { get; } = arguments;

    /// <summary>The overload that the checker chose; null where only the values can tell.</summary>
    public CelFunction? Overload { get; set; }

    /// <summary>The pattern of <c>matches</c> where it is a literal.</summary>
    public Regex? Pattern { get; set; }

    public override IEnumerable<CelNode> Parts => Arguments;
}

internal sealed class ListNode(int offset, IReadOnlyList<CelNode> items) : CelNode(offset)
{
    public IReadOnlyList<CelNode> Items { get; } = items;

    public override IEnumerable<CelNode> Parts => Items;
}

internal sealed class MapNode(int offset, IReadOnlyList<(CelNode Key, CelNode Value)> entries) : CelNode(offset)
{
    public IReadOnlyList<(CelNode Key, CelNode Value)> Entries { get; } = entries;

    public override IEnumerable<CelNode> Parts => Entries.SelectMany(e => new[] { e.Key, e.Value });
}

internal enum MacroKind
{
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// <summary>A loop over a list, or over the keys of a map: <c>range.all(variable, body)</c>; map may have a filter before its body.</summary>
internal sealed class MacroNode(int offset, MacroKind kind, CelNode range, string variable, CelNode? filter, CelNode body) : CelNode(offset)
{
    public MacroKind Kind { get; } = kind;

    public CelNode Range { get; } = range;

    public string Variable { get; } = variable;

    public CelNode? Filter { get; } = filter;

    public CelNode Body { get; } = body;

    public override IEnumerable<CelNode> Parts => Filter is null ? [Range, Body] : [Range, Filter, Body];
}
