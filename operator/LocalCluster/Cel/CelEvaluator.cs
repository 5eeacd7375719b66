namespace Graft.LocalCluster.Cel;

/// <summary>Evaluates a checked expression, and counts what it costs.</summary>
internal sealed class CelEvaluator(long budget)
{
    private const int TraversalPerUnit = 10;

    /// <summary>Steps, and a tenth of a step for each character or item that a function looks at.</summary>
    public long Cost { get; private set; }

    /// <summary>A variable that is visible, and what is visible around it.</summary>
    public sealed record Scope(string Name, object? Value, Scope? Outer);

    /// <exception cref="CelEvaluationException">The expression has no value.</exception>
    /// <exception cref="CelCostException">It costs more than the budget.</exception>
    public object? Evaluate(CelNode node, Scope? scope)
    {
        Pay(1);
        return node switch
        {
            LiteralNode literal => literal.Value,
            IdentifierNode identifier => Find(identifier.Name, scope),
            SelectNode select => Select(select, scope),
            ListNode list => new CelList(list.Items.Select(item => Evaluate(item, scope)).ToList()),
            MapNode map => Map(map, scope),
            MacroNode macro => Macro(macro, scope),
            CallNode call => Call(call, scope),
            _ => throw new InvalidOperationException($"no value for {node.GetType().Name}"),
        };
    }

    private void Pay(long cost)
    {
        Cost += cost;
        if (Cost > budget)
        {
            throw new CelCostException();
        }
    }

    private static object? Find(string name, Scope? scope)
    {
        for (var at = scope; at is not null; at = at.Outer)
        {
            if (at.Name == name)
            {
                return at.Value;
            }
        }
        throw new CelEvaluationException($"no such attribute(s): {name}");
    }

    private CelMap Map(MapNode node, Scope? scope)
    {
        var entries = new List<KeyValuePair<object, object?>>();
        foreach (var (key, value) in node.Entries)
        {
            var evaluated = Evaluate(key, scope) ?? throw NoOverload();
            if (entries.Any(entry => CelValues.Same(entry.Key, evaluated)))
            {
                throw new CelEvaluationException($"duplicate map key: {evaluated}");
            }
            entries.Add(KeyValuePair.Create(evaluated, Evaluate(value, scope)));
        }
        return new CelMap(entries);
    }

    private object? Select(SelectNode node, Scope? scope)
    {
        var target = Evaluate(node.Target, scope);
        var (found, value) = target switch
        {
            CelObject o when CelNames.Find(o.Schema.Properties, node.Field) is { } name && o.Json.TryGetPropertyValue(name, out var member) =>
                (true, CelValues.Of(member, o.Schema.Properties[name])),
            CelObject => (false, null),
            CelMap map when map.TryGet(node.Field, out var entry) => (true, entry),
            CelMap => (false, null),
            _ => throw NoOverload(),
        };
        return node.IsTest ? found : found ? value : throw new CelEvaluationException($"no such key: {node.Field}");
    }

    private object? Call(CallNode node, Scope? scope)
    {
        switch (node.Function)
        {
            case "_&&_":
                return Logic(node, scope, decides: false);
            case "_||_":
                return Logic(node, scope, decides: true);
            case "_?_:_":
                return Evaluate(node.Arguments[Truth(Evaluate(node.Arguments[0], scope)) ? 1 : 2], scope);
        }
        var values = new object?[node.Arguments.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Evaluate(node.Arguments[i], scope);
        }
        switch (node.Function)
        {
            case "_==_" or "_!=_":
                Pay(Math.Min(CelValues.Size(values[0]), CelValues.Size(values[1])) / TraversalPerUnit);
                return CelValues.Same(values[0], values[1]) == (node.Function == "_==_");
        }
        Pay(values.Sum(CelValues.Size) / TraversalPerUnit);
        if (node.Pattern is { } pattern && values[0] is string text)
        {
            return pattern.IsMatch(text);
        }
        var function = node.Overload is { } known && known.Takes(values)
            ? known
            : CelLibrary.Find(node.Function, node.IsMember).FirstOrDefault(f => f.Parameters.Length == values.Length && f.Takes(values));
        try
        {
            return (function ?? throw NoOverload()).Evaluate(values);
        }
        catch (Exception e) when (e is OverflowException or ArgumentOutOfRangeException)
        {
            throw new CelEvaluationException(values[0] is ulong ? "unsigned integer overflow" : "integer overflow");
        }
    }

    /// <summary>And and or: the side that decides wins over one that has no value, whichever stands first.</summary>
    private bool Logic(CallNode node, Scope? scope, bool decides)
    {
        CelEvaluationException? fault = null;
        foreach (var side in node.Arguments)
        {
            try
            {
                if (Truth(Evaluate(side, scope)) == decides)
                {
                    return decides;
                }
            }
            catch (CelEvaluationException e)
            {
                fault ??= e;
            }
        }
        return fault is null ? !decides : throw fault;
    }

    private object? Macro(MacroNode node, Scope? scope)
    {
        var items = Evaluate(node.Range, scope) switch
        {
            CelList list => list.Items,
            CelMap map => map.Entries.Select(e => (object?)e.Key).ToList(),
            _ => throw NoOverload(),
        };
        if (node.Kind is MacroKind.All or MacroKind.Exists)
        {
            return Quantify(node, items, scope, decides: node.Kind == MacroKind.Exists);
        }
        var result = new List<object?>();
        foreach (var item in items)
        {
            var inner = new Scope(node.Variable, item, scope);
            if (node.Filter is { } filter && !Truth(Evaluate(filter, inner)))
            {
                continue;
            }
            var value = Evaluate(node.Body, inner);
            if (node.Kind == MacroKind.Map)
            {
                result.Add(value);
            }
            else if (Truth(value))
            {
                result.Add(item);
            }
        }
        return node.Kind == MacroKind.ExistsOne ? result.Count == 1 : new CelList(result);
    }

    /// <summary>All and exists: an item that decides wins over one that has no value.</summary>
    private bool Quantify(MacroNode node, IReadOnlyList<object?> items, Scope? scope, bool decides)
    {
        CelEvaluationException? fault = null;
        foreach (var item in items)
        {
            try
            {
                if (Truth(Evaluate(node.Body, new Scope(node.Variable, item, scope))) == decides)
                {
                    return decides;
                }
            }
            catch (CelEvaluationException e)
            {
                fault ??= e;
            }
        }
        return fault is null ? !decides : throw fault;
    }

    private static bool Truth(object? value) => value as bool? ?? throw NoOverload();

    private static CelEvaluationException NoOverload() => new("no such overload");
}
