using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>Finds the types of an expression, and everything that does not fit.</summary>
internal sealed class CelChecker
{
    private readonly List<CelIssue> _issues = [];
    private readonly HashSet<string> _used = [];

    public IReadOnlyList<CelIssue> Issues => _issues;

    /// <summary>The variables that the expression speaks of.</summary>
    public IReadOnlySet<string> UsedVariables => _used;

    /// <summary>Writes the type of every node and returns that of the whole.</summary>
    public CelType Check(CelNode node, Scope? scope)
    {
        node.Type = node switch
        {
            LiteralNode literal => TypeOf(literal.Value),
            IdentifierNode identifier => Variable(identifier, scope),
            SelectNode select => Select(select, scope),
            ListNode list => List(list, scope),
            MapNode map => Map(map, scope),
            MacroNode macro => Macro(macro, scope),
            CallNode call => Call(call, scope),
            _ => throw new InvalidOperationException($"no type for {node.GetType().Name}"),
        };
        return node.Type;
    }

    /// <summary>A variable that is visible, and what is visible around it.</summary>
    public sealed record Scope(string Name, CelType Type, Scope? Outer);

    private static CelType TypeOf(object? value) => value switch
    {
        null => CelType.Null,
        bool => CelType.Bool,
        long => CelType.Int,
        ulong => CelType.Uint,
        double => CelType.Double,
        byte[] bytes => CelType.Bytes with { MaxSize = bytes.Length },
        _ => CelType.String(((string)value).Length),
    };

    private CelType Variable(IdentifierNode node, Scope? scope)
    {
        for (var at = scope; at is not null; at = at.Outer)
        {
            if (at.Name == node.Name)
            {
                _used.Add(node.Name);
                return at.Type;
            }
        }
        return Fail(node, $"undeclared reference to '{node.Name}' (in container '')");
    }

    private CelType Select(SelectNode node, Scope? scope)
    {
        var target = Check(node.Target, scope);
        switch (target.Kind)
        {
            case CelKind.Object:
                var member = target.Member(node.Field);
                return member is null ? Fail(node, $"undefined field '{node.Field}'") : node.IsTest ? CelType.Bool : member;
            case CelKind.Map:
                return node.IsTest ? CelType.Bool : target.Element!;
            case CelKind.Dyn:
                return node.IsTest ? CelType.Bool : CelType.Dyn;
            default:
                return Fail(node, $"type '{target}' does not support field selection");
        }
    }

    private CelType List(ListNode node, Scope? scope)
    {
        CelType? element = null;
        foreach (var item in node.Items)
        {
            element = Join(item, element, Check(item, scope));
        }
        return CelType.ListOf(element ?? CelType.Dyn, node.Items.Count);
    }

    private CelType Map(MapNode node, Scope? scope)
    {
        CelType? key = null, value = null;
        foreach (var entry in node.Entries)
        {
            key = Join(entry.Key, key, Check(entry.Key, scope));
            value = Join(entry.Value, value, Check(entry.Value, scope));
        }
        return CelType.MapOf(key ?? CelType.Dyn, value ?? CelType.Dyn, node.Entries.Count);
    }

    /// <summary>Literals hold values of one type.</summary>
    private CelType Join(CelNode node, CelType? before, CelType type)
    {
        if (before is null || before.Kind == CelKind.Dyn || Fits(before, type))
        {
            return before is null ? type : before with { MaxSize = Math.Max(before.MaxSize, type.MaxSize) };
        }
        return Fail(node, $"expected type '{before}' but found '{type}'");
    }

    private CelType Macro(MacroNode node, Scope? scope)
    {
        var range = Check(node.Range, scope);
        var item = range.Kind switch
        {
            CelKind.List => range.Element!,
            CelKind.Map => range.Key!,
            CelKind.Dyn => CelType.Dyn,
            _ => Fail(node.Range, $"expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)"),
        };
        var inner = new Scope(node.Variable, item, scope);
        if (node.Filter is { } filter)
        {
            Expect(filter, Check(filter, inner), CelType.Bool);
        }
        var body = Check(node.Body, inner);
        if (node.Kind != MacroKind.Map)
        {
            Expect(node.Body, body, CelType.Bool);
        }
        return node.Kind switch
        {
            MacroKind.Map => CelType.ListOf(body, range.MaxSize),
            MacroKind.Filter => CelType.ListOf(item, range.MaxSize),
            _ => CelType.Bool,
        };
    }

    private CelType Call(CallNode node, Scope? scope)
    {
        var types = node.Arguments.Select(a => Check(a, scope)).ToList();
        switch (node.Function)
        {
            case "_&&_" or "_||_":
                Expect(node.Arguments[0], types[0], CelType.Bool);
                Expect(node.Arguments[1], types[1], CelType.Bool);
                return CelType.Bool;
            case "_?_:_":
                Expect(node.Arguments[0], types[0], CelType.Bool);
                return Fits(types[1], types[2])
                    ? types[1] with { MaxSize = Math.Max(types[1].MaxSize, types[2].MaxSize) }
                    : NoOverload(node, types);
            case "_==_" or "_!=_":
                return Fits(types[0], types[1]) ? CelType.Bool : NoOverload(node, types);
        }
        if (!CelLibrary.Knows(node.Function))
        {
            return Fail(node, $"undeclared reference to '{node.Function}' (in container '')");
        }
        var found = CelLibrary.Find(node.Function, node.IsMember).Where(f => f.Takes(types) && FitsContent(f, types)).ToList();
        if (found.Count == 0)
        {
            return NoOverload(node, types);
        }
        PrepareMatch(node);
        node.Overload = found.Count == 1 && types.All(t => t.Kind != CelKind.Dyn) ? found[0] : null;
        var results = found.Select(f => f.Result(types)).ToList();
        return results.All(r => r.Kind == results[0].Kind) ? results[0] : CelType.Dyn;
    }

    /// <summary>What kinds alone do not say: an item must be of the type of the items, a key of the type of the keys.</summary>
    private static bool FitsContent(CelFunction function, List<CelType> types) => function.Name switch
    {
        "@in" when types[1].Kind == CelKind.List => Fits(types[1].Element!, types[0]),
        "@in" when types[1].Kind == CelKind.Map => Fits(types[1].Key!, types[0]),
        "_[_]" when types[0].Kind == CelKind.Map => Fits(types[0].Key!, types[1]),
        "_+_" when types[0].Kind == CelKind.List && types[1].Kind == CelKind.List => Fits(types[0].Element!, types[1].Element!),
        "indexOf" when types[0].Kind == CelKind.List => Fits(types[0].Element!, types[1]),
        "orValue" => Fits(types[0].Element ?? CelType.Dyn, types[1]),
        _ => true,
    };

    private void PrepareMatch(CallNode node)
    {
        if (node.Function == "matches" && node.Arguments[1] is LiteralNode { Value: string pattern })
        {
            node.Pattern = GoRegex.TryCompile(pattern, out var error);
            if (node.Pattern is null)
            {
                Fail(node.Arguments[1], $"invalid matches argument: {error}");
            }
        }
    }

    /// <summary>Whether two types can be one: the same, or one of them dynamic, or null where null may stand.</summary>
    private static bool Fits(CelType a, CelType b)
    {
        if (a.Kind == CelKind.Dyn || b.Kind == CelKind.Dyn)
        {
            return true;
        }
        if (a.Kind == CelKind.Null || b.Kind == CelKind.Null)
        {
            return a.Nullable && b.Nullable;
        }
        return a.Kind == b.Kind
            && (a.Element is null || b.Element is null || Fits(a.Element, b.Element))
            && (a.Key is null || b.Key is null || Fits(a.Key, b.Key));
    }

    private void Expect(CelNode node, CelType type, CelType expected)
    {
        if (type.Kind != CelKind.Dyn && type.Kind != expected.Kind)
        {
            Fail(node, $"expected type '{expected}' but found '{type}'");
        }
    }

    private CelType NoOverload(CallNode node, List<CelType> types)
    {
        var shown = node.IsMember
            ? $"'{types[0]}.({string.Join(", ", types.Skip(1))})'"
            : $"'({string.Join(", ", types)})'";
        return Fail(node, $"found no matching overload for '{node.Function}' applied to {shown}");
    }

    /// <summary>Notes the fault; what could not be typed is dynamic, so that one fault is reported once.</summary>
    private CelType Fail(CelNode node, string message)
    {
        _issues.Add(new CelIssue(node.Offset, message));
        return CelType.Dyn;
    }
}
