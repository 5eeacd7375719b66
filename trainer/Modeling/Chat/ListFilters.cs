using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>Jinja's filters for lists, mappings and whatever else can be looped over.</summary>
internal static class ListFilters
{
    public static readonly Dictionary<string, Filter> Table = new(StringComparer.Ordinal)
    {
        ["length"] = (v, a) => Length(v, a.Budget),
        ["count"] = (v, a) => Length(v, a.Budget),
        ["first"] = (v, a) => Items(v, a) is [var first, ..] ? first : new Undefined("first"),
        ["last"] = (v, a) => Items(v, a) is [.., var last] ? last : new Undefined("last"),
        ["list"] = (v, a) => a.Budget.Made([.. Items(v, a)]),
        ["join"] = Join,
        ["reverse"] = (v, a) => v is string s ? string.Concat(PythonText.Characters(s).AsEnumerable().Reverse())
            : a.Budget.Made([.. Enumerable.Reverse(Items(v, a))]),
        ["unique"] = Unique,
        ["sort"] = Sort,
        ["sum"] = (v, a) => Attributes(v, a, 0).Aggregate(a.Get(1, "start", 0L), (sum, item) => Arithmetic.Apply("+", sum, item, a.Budget)),
        ["min"] = (v, a) => Extreme(v, a, -1),
        ["max"] = (v, a) => Extreme(v, a, 1),
        ["items"] = (v, a) => v is Undefined ? new List<object?>() : Members.Pairs(Mapping(v, "items"), a.Budget),
        ["dictsort"] = SortPairs,
        ["map"] = Mapped,
        ["select"] = (v, a) => Select(v, a, attribute: false, wanted: true),
        ["reject"] = (v, a) => Select(v, a, attribute: false, wanted: false),
        ["selectattr"] = (v, a) => Select(v, a, attribute: true, wanted: true),
        ["rejectattr"] = (v, a) => Select(v, a, attribute: true, wanted: false),
        ["groupby"] = GroupBy,
        ["batch"] = Batch,
        ["slice"] = Slices,
    };

    private static List<object?> Items(object? value, CallArguments a) => Values.Items(value, a.Budget);

    private static Map Mapping(object? value, string filter) =>
        value as Map ?? throw new ChatTemplateException($"the filter '{filter}' needs a mapping, not {Values.Kind(value)}");

    private static long Length(object? value, Budget budget) => value switch
    {
        string s => PythonText.Length(s),
        Map map => map.Count,
        List<object?> or Undefined => Values.Items(value, budget).Count,
        _ => throw new ChatTemplateException($"{Values.Kind(value)} has no length"),
    };

    /// <summary>An attribute, or one of an attribute: <c>function.name</c>.</summary>
    private static object? Path(object? value, object? path, Budget budget)
    {
        if (path is long) return Members.Item(value, path, budget);
        foreach (var name in (path as string ?? throw new ChatTemplateException("an attribute's name must be a text")).Split('.'))
            value = Members.Item(value, long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place
                : name, budget);
        return value;
    }

    /// <summary>The items, or what the argument <c>attribute</c> names of each.</summary>
    private static List<object?> Attributes(object? value, CallArguments a, int place) => a.Get(place, "attribute") is { } path
        ? a.Budget.Made([.. Items(value, a).Select(i => Path(i, path, a.Budget))]) : Items(value, a);

    private static string Join(object? value, CallArguments a)
    {
        var separator = Printing.Text(a.Get(0, "d", ""), a.Budget);
        return TextMethods.Join(separator, [.. Attributes(value, a, 1).Select(i => Printing.Text(i, a.Budget))], a.Budget);
    }

    private static object? Fold(object? item) => item is string s ? s.ToLowerInvariant() : item;

    private static List<object?> Unique(object? value, CallArguments a)
    {
        var (items, keys) = (Items(value, a), Attributes(value, a, 1));
        var (found, seen) = (new List<object?>(), new HashSet<object>());
        for (var i = 0; i < items.Count; i++)
            if (seen.Add(Map.Key(a.Flag(0, "case_sensitive") ? keys[i] : Fold(keys[i])))) found.Add(items[i]);
        return a.Budget.Made(found);
    }

    private static List<object?> Sort(object? value, CallArguments a)
    {
        var paths = a.Get(2, "attribute") is string names ? names.Split(',') : null;
        object? Folded(object? key) => a.Flag(1, "case_sensitive") ? key : Fold(key);
        return Sorted(Items(value, a), item => paths is null ? Folded(item)
            : paths is [var one] ? Folded(Path(item, one, a.Budget))
                : new Row(paths.Select(p => Folded(Path(item, p, a.Budget)))), a.Flag(0, "reverse"), a.Budget);
    }

    private static List<object?> SortPairs(object? value, CallArguments a)
    {
        var place = a.Get(1, "by", "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw new ChatTemplateException("dictsort sorts by 'key' or 'value'"),
        };
        var sensitive = a.Flag(0, "case_sensitive");
        return Sorted(Members.Pairs(Mapping(value, "dictsort"), a.Budget),
            pair => ((Row)pair!)[place] is var key && sensitive ? key : Fold(((Row)pair!)[place]), a.Flag(2, "reverse"), a.Budget);
    }

    private static List<object?> Sorted(List<object?> items, Func<object?, object?> key, bool reverse, Budget budget)
    {
        var order = Comparer<object?>.Create((x, y) => Values.Compare(x, y, budget));
        try
        {
            return budget.Made(reverse ? [.. items.OrderByDescending(key, order)] : [.. items.OrderBy(key, order)]);
        }
        catch (InvalidOperationException e) when (e.InnerException is ChatTemplateException inner)
        {
            throw inner;
        }
    }

    private static object? Extreme(object? value, CallArguments a, int sign)
    {
        object? best = new Undefined("min or max");
        object? bestKey = null;
        foreach (var item in Items(value, a))
        {
            var key = a.Get(1, "attribute") is { } path ? Path(item, path, a.Budget) : item;
            if (!a.Flag(0, "case_sensitive")) key = Fold(key);
            if (best is not Undefined && Values.Compare(key, bestKey, a.Budget) * sign <= 0) continue;
            (best, bestKey) = (item, key);
        }
        return best;
    }

    private static List<object?> Mapped(object? value, CallArguments a)
    {
        if (a.Plain.Count == 0 && a.Named.ContainsKey("attribute"))
        {
            var otherwise = a.Named.GetValueOrDefault("default");
            return a.Budget.Made([.. Attributes(value, a, 0).Select(found => found is Undefined && otherwise is not null ? otherwise
                : found)]);
        }
        var name = a.Text(0, "filter");
        if (!Filters.Known(name)) throw new ChatTemplateException($"the filter '{name}' is unknown");
        using var level = a.Budget.Enter();
        IReadOnlyList<object?> rest = [.. a.Plain.Skip(1)];
        return a.Budget.Made([.. Items(value, a).Select(i => Filters.Apply(name, i, rest, a.Named, a.Budget))]);
    }

    private static List<object?> Select(object? value, CallArguments a, bool attribute, bool wanted)
    {
        var skip = attribute ? 1 : 0;
        var test = a.Plain.Count > skip ? a.Text(skip) : null;
        if (test is not null && !Tests.Known(test)) throw new ChatTemplateException($"the test '{test}' is unknown");
        IReadOnlyList<object?> rest = [.. a.Plain.Skip(skip + 1)];
        bool Holds(object? item)
        {
            a.Budget.Step();
            var tested = attribute ? Path(item, a.Get(0, "attribute"), a.Budget) : item;
            return test is null ? Values.IsTrue(tested) : Tests.Apply(test, tested, rest, a.Budget);
        }
        return a.Budget.Made([.. Items(value, a).Where(i => Holds(i) == wanted)]);
    }

    private static List<object?> GroupBy(object? value, CallArguments a)
    {
        var otherwise = a.Get(1, "default");
        object? Key(object? item) => Path(item, a.Get(0, "attribute"), a.Budget) is var key && key is Undefined && otherwise is not null
            ? otherwise : key;
        object? Folded(object? item) => a.Flag(2, "case_sensitive") ? Key(item) : Fold(Key(item));
        var groups = new List<object?>();
        List<object?>? members = null;
        object? last = null;
        foreach (var item in Sorted(Items(value, a), Folded, reverse: false, a.Budget))
        {
            if (members is null || !Values.Same(last, Folded(item), a.Budget)) groups.Add(new Row([Key(item), members = []]));
            members.Add(item);
            last = Folded(item);
        }
        return a.Budget.Made(groups);
    }

    private static List<object?> Batch(object? value, CallArguments a)
    {
        var size = Values.Count(a.Get(0, "linecount"));
        if (size < 1) throw new ChatTemplateException("batch needs a size of at least 1");
        var batches = Items(value, a).Chunk(size).Select(c => (object?)c.ToList()).ToList();
        if (a.Get(1, "fill_with") is { } filler && batches is [.., List<object?> { } last])
        {
            a.Budget.Spend(4L * (size - last.Count));
            while (last.Count < size) last.Add(filler);
        }
        return a.Budget.Made(batches);
    }

    private static List<object?> Slices(object? value, CallArguments a)
    {
        var (items, slices) = (Items(value, a), Values.Count(a.Get(0, "slices")));
        if (slices < 1) throw new ChatTemplateException("slice needs a count of at least 1");
        a.Budget.Spend(16L * slices + 4L * items.Count);
        var (each, more, at) = (items.Count / slices, items.Count % slices, 0);
        var cut = new List<object?>();
        for (var i = 0; i < slices; i++)
        {
            var count = each + (i < more ? 1 : 0);
            var part = items.GetRange(at, count);
            if (a.Get(1, "fill_with") is { } filler && i >= more && more > 0) part.Add(filler);
            cut.Add(part);
            at += count;
        }
        return cut;
    }
}
