namespace Graft.Modeling.Chat;

/// <summary>
/// Attributes, methods, items and slices of values. Only what is listed here can be reached, and nothing here changes a value, as in
/// Jinja's immutable sandbox.
/// </summary>
internal static class Members
{
    public static object? Attribute(object? value, string name, Budget budget) => value switch
    {
        Undefined u => throw new ChatTemplateException($"'{u.Name}' is undefined"),
        Namespace space => space.Values.TryGetValue(name, out var found) ? found : new Undefined(name),
        string text => TextMethods.Find(text, name, budget) ?? (object)new Undefined(name),
        Map map => (object?)Method(map, name, budget) ?? Entry(map, name),
        LoopValue loop => loop.Attribute(name, budget),
        List<object?> list when Method(list, name, budget) is { } method => method,
        _ => new Undefined(name),
    };

    public static object? Item(object? value, object? key, Budget budget)
    {
        switch (value)
        {
            case Undefined u: throw new ChatTemplateException($"'{u.Name}' is undefined");
            case Map map when key is null or string or long or bool or double:
                if (map.TryGetValue(Map.Key(key), out var entry)) return entry;
                return key is string method ? Method(map, method, budget) ?? (object)new Undefined(method)
                    : new Undefined(Printing.Text(key, budget));
            case List<object?> list when key is long or bool:
                var place = Values.Long(key);
                if (place < 0) place += list.Count;
                return place >= 0 && place < list.Count ? list[(int)place] : new Undefined(Printing.Text(key, budget));
            case string text when key is long or bool:
                budget.Spend(text.Length / 8);
                var (index, length) = (Values.Long(key), PythonText.Length(text));
                if (index < 0) index += length;
                if (index < 0 || index >= length) return new Undefined(Printing.Text(key, budget));
                var unit = PythonText.UnitOf(text, (int)index);
                return text[unit..(unit + (char.IsSurrogatePair(text, unit) ? 2 : 1))];
            default: return key is string name ? Attribute(value, name, budget) : new Undefined(Printing.Text(key, budget));
        }
    }

    public static object? Slice(object? value, object? from, object? to, object? stepValue, Budget budget)
    {
        if (value is Undefined u) throw new ChatTemplateException($"'{u.Name}' is undefined");
        if (value is not (string or List<object?>)) throw new ChatTemplateException($"{Values.Kind(value)} cannot be sliced");
        var step = stepValue is null ? 1 : Values.Long(stepValue);
        if (step == 0) throw new ChatTemplateException("a slice's step is zero");
        var text = value as string;
        long count = text is null ? ((List<object?>)value).Count : PythonText.Length(text);
        budget.Spend(count);
        var (start, end) = (Bound(from, step > 0 ? 0 : count - 1), Bound(to, step > 0 ? count : -1));
        if (text is not null && step == 1)
            return start >= end ? "" : text[PythonText.UnitOf(text, (int)start)..PythonText.UnitOf(text, (int)end)];
        var items = Values.Items(value, budget);
        var cut = new List<object?>();
        for (var i = start; step > 0 ? i < end : i > end; i = step > count ? end : step < -count ? end : i + step) cut.Add(items[(int)i]);
        budget.Made(cut);
        return text is not null ? string.Concat(cut) : value is Row ? new Row(cut) : cut;

        long Bound(object? bound, long otherwise)
        {
            if (bound is null) return otherwise;
            var at = Values.Long(bound);
            if (at < 0) at += count;
            return step > 0 ? Math.Clamp(at, 0, count) : Math.Clamp(at, -1, count - 1);
        }
    }

    /// <summary>Key and value of each entry.</summary>
    public static List<object?> Pairs(Map map, Budget budget) =>
        budget.Made([.. map.Select(p => (object?)new Row([Map.Shown(p.Key), p.Value]))]);

    private static object? Entry(Map map, string name) => map.TryGetValue(name, out var value) ? value : new Undefined(name);

    private static Callable? Method(Map map, string name, Budget budget) => name switch
    {
        "items" => (_, _) => Pairs(map, budget),
        "keys" => (_, _) => budget.Made([.. map.Keys.Select(Map.Shown)]),
        "values" => (_, _) => budget.Made([.. map.Values]),
        "get" => (a, _) => a.Count == 0 ? throw new ChatTemplateException("get needs a key")
            : map.TryGetValue(Map.Key(a[0]), out var found) ? found : a.Count > 1 ? a[1] : null,
        "copy" => (_, _) =>
        {
            budget.Spend(8L * map.Count);
            var copy = new Map();
            foreach (var (key, value) in map) copy[key] = value;
            return copy;
        },
        _ => null,
    };

    private static Callable? Method(List<object?> list, string name, Budget budget) => name switch
    {
        "count" => (a, _) => (long)list.Count(v => Values.Same(v, One(a), budget)),
        "index" => (a, _) => list.FindIndex(v => Values.Same(v, One(a), budget)) is var i and >= 0 ? (long)i
            : throw new ChatTemplateException("the list does not contain what was looked for"),
        "copy" when list is not Row => (_, _) => budget.Made([.. list]),
        _ => null,
    };

    private static object? One(IReadOnlyList<object?> arguments) => arguments.Count > 0 ? arguments[0]
        : throw new ChatTemplateException("a method lacks its argument");
}
