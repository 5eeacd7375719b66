namespace Graft.Modeling.Chat;

/// <summary>A name, attribute or item that is not there. It prints as nothing and is false; using it further is an error.</summary>
internal sealed record Undefined(string Name);

/// <summary>A mapping in the order in which it was written; keys are texts, numbers, booleans, none.</summary>
internal sealed class Map : OrderedDictionary<object, object?>
{
    /// <summary>Stands for the key <c>None</c>, as null cannot be one.</summary>
    public static object NoneKey { get; } = new NoKey();

    public static object Key(object? key) => key switch
    {
        null => NoneKey,
        // As in Python, 1, 1.0 and true are one key.
        bool b => b ? 1L : 0L,
        double d when Math.Floor(d) == d && Math.Abs(d) < 1e18 => (long)d,
        string or long or double => key,
        _ => throw new ChatTemplateException($"{Chat.Values.Kind(key)} cannot be a key"),
    };

    public static object? Shown(object key) => ReferenceEquals(key, NoneKey) ? null : key;

    private sealed class NoKey;
}

/// <summary>Python's tuple: a list that prints with parentheses.</summary>
internal sealed class Row(IEnumerable<object?> items) : List<object?>(items);

/// <summary>
/// What <c>namespace()</c> makes: the one thing whose attributes a template may set, as its variables do not outlive a loop.
/// </summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something a template may call.</summary>
internal delegate object? Callable(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>
/// Values of a template: null (none), bool, long, double, string, <see cref="List{T}"/> of them, <see cref="Row"/>,
/// <see cref="Map"/>, <see cref="Undefined"/>, <see cref="Namespace"/>, <see cref="LoopValue"/>, <see cref="Callable"/>.
/// They compare as Python's.
/// </summary>
internal static class Values
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        long n => n != 0,
        double d => d != 0,
        string s => s.Length > 0,
        List<object?> list => list.Count > 0,
        Map map => map.Count > 0,
        _ => true,
    };

    public static bool Same(object? a, object? b, Budget budget)
    {
        budget.Step();
        switch (a, b)
        {
            case (null, null) or (Undefined, Undefined): return true;
            case (string x, string y):
                if (x.Length == y.Length) budget.Spend(x.Length / 8);
                return x == y;
            case (List<object?> x, List<object?> y):
                if (ReferenceEquals(x, y)) return true;
                if (x.Count != y.Count || x is Row != y is Row) return false;
                using (budget.Enter())
                {
                    for (var i = 0; i < x.Count; i++)
                        if (!Same(x[i], y[i], budget)) return false;
                }
                return true;
            case (Map x, Map y):
                if (ReferenceEquals(x, y)) return true;
                if (x.Count != y.Count) return false;
                using (budget.Enter())
                {
                    foreach (var (key, value) in x)
                        if (!y.TryGetValue(key, out var other) || !Same(value, other, budget)) return false;
                }
                return true;
            case var _ when IsNumber(a) && IsNumber(b):
                return a is long or bool && b is long or bool ? Long(a) == Long(b) : Double(a) == Double(b);
            default: return Equals(a, b);
        }
    }

    public static int Compare(object? a, object? b, Budget budget)
    {
        budget.Step();
        if (a is long or bool && b is long or bool) return Long(a).CompareTo(Long(b));
        if (IsNumber(a) && IsNumber(b)) return Double(a).CompareTo(Double(b));
        if (a is string x && b is string y)
        {
            budget.Spend(Math.Min(x.Length, y.Length) / 8);
            return PythonText.Compare(x, y);
        }
        if (a is List<object?> p && b is List<object?> q && a is Row == b is Row)
        {
            using var level = budget.Enter();
            for (var i = 0; i < Math.Min(p.Count, q.Count); i++)
                if (!Same(p[i], q[i], budget)) return Compare(p[i], q[i], budget);
            return p.Count.CompareTo(q.Count);
        }
        throw new ChatTemplateException($"{Kind(a)} and {Kind(b)} cannot be ordered");
    }

    public static bool Contains(object? container, object? item, Budget budget)
    {
        switch (container)
        {
            case string s when item is string part:
                budget.Search(s.Length, part.Length);
                return s.Contains(part, StringComparison.Ordinal);
            case string: throw new ChatTemplateException($"'in' of a text needs a text, not {Kind(item)}");
            case List<object?> list: return list.Exists(v => Same(v, item, budget));
            case Map map: return map.ContainsKey(Map.Key(item));
            case Undefined: return false;
            case LoopValue: return false;
            default: throw new ChatTemplateException($"{Kind(container)} holds nothing that could be looked for");
        }
    }

    /// <summary>What a loop over the value runs over.</summary>
    public static List<object?> Items(object? value, Budget budget) => value switch
    {
        List<object?> list => list,
        Map map => budget.Made([.. map.Keys.Select(Map.Shown)]),
        string s => budget.Made([.. PythonText.Characters(s)]),
        Undefined => [],
        _ => throw new ChatTemplateException($"{Kind(value)} cannot be iterated over"),
    };

    public static bool IsNumber(object? value) => value is long or double or bool;

    /// <exception cref="ChatTemplateException">It is no whole number.</exception>
    public static long Long(object? value) => value switch
    {
        long n => n,
        bool b => b ? 1 : 0,
        _ => throw new ChatTemplateException($"{Kind(value)} is no whole number"),
    };

    public static double Double(object? value) => value is double d ? d
        : value is long or bool ? Long(value) : throw new ChatTemplateException($"{Kind(value)} is no number");

    /// <summary>A whole number that counts something in memory.</summary>
    public static int Count(object? value) => (int)Math.Clamp(Long(value), int.MinValue / 2, int.MaxValue / 2);

    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined u => $"'{u.Name}', which is undefined,",
        bool => "a boolean",
        long or double => "a number",
        string => "a text",
        Row => "a tuple",
        List<object?> => "a list",
        Map => "a mapping",
        _ => "an object",
    };
}
