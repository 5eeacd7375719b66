using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>Jinja's filters, as far as chat templates use them.</summary>
internal static class Filters
{
    private delegate object? Filter(object? value, Arguments arguments);

    /// <summary>Arguments by place or by name.</summary>
    private readonly record struct Arguments(List<object?> Plain, Dictionary<string, object?> Named)
    {
        public object? Get(int place, string name, object? otherwise = null) =>
            place < Plain.Count ? Plain[place] : Named.TryGetValue(name, out var value) ? value : otherwise;

        public string Text(int place, string name, string otherwise = "") => Values.Text(Get(place, name, otherwise));
        public bool Flag(int place, string name) => Values.IsTrue(Get(place, name, false));
    }

    private static readonly Dictionary<string, Filter> Table = new(StringComparer.Ordinal)
    {
        ["trim"] = (v, a) => Values.Text(v).Trim(a.Get(0, "chars") is string c ? c.ToCharArray() : null),
        ["upper"] = (v, _) => Values.Text(v).ToUpperInvariant(),
        ["lower"] = (v, _) => Values.Text(v).ToLowerInvariant(),
        ["title"] = (v, _) => Members.Title(Values.Text(v)),
        ["capitalize"] = (v, _) => Members.Capitalize(Values.Text(v)),
        ["string"] = (v, _) => Values.Text(v),
        ["safe"] = (v, _) => v,
        ["escape"] = (v, _) => Escape(Values.Text(v)),
        ["e"] = (v, _) => Escape(Values.Text(v)),
        ["replace"] = (v, a) => Members.Replace(Values.Text(v), a.Text(0, "old"), a.Text(1, "new"), a.Get(2, "count") is long n ? (int)n : -1),
        ["tojson"] = (v, a) => Values.ToJson(v, a.Get(0, "indent") is long n ? (int)Math.Clamp(n, 0, 16) : null),
        ["default"] = Default,
        ["d"] = Default,
        ["length"] = (v, _) => Length(v),
        ["count"] = (v, _) => Length(v),
        ["first"] = (v, _) => Values.Items(v) is [var first, ..] ? first : new Undefined("first"),
        ["last"] = (v, _) => Values.Items(v) is [.., var last] ? last : new Undefined("last"),
        ["list"] = (v, _) => Values.Items(v).ToList(),
        ["join"] = (v, a) => string.Join(a.Text(0, "d"), (a.Get(1, "attribute") is string name
            ? Values.Items(v).Select(i => Path(i, name)) : Values.Items(v)).Select(Values.Text)),
        ["reverse"] = (v, _) => v is string s ? string.Concat(Values.Runes(s).AsEnumerable().Reverse()) : Enumerable.Reverse(Values.Items(v)).ToList(),
        ["unique"] = (v, _) => Unique(Values.Items(v)),
        ["sort"] = Sort,
        ["sum"] = (v, a) => Values.Items(v).Aggregate(a.Get(1, "start", 0L), (sum, item) => Arithmetic.Apply("+", sum, item)),
        ["min"] = (v, _) => Values.Items(v) is { Count: > 0 } items ? items.Aggregate((x, y) => Values.Compare(y, x) < 0 ? y : x) : new Undefined("min"),
        ["max"] = (v, _) => Values.Items(v) is { Count: > 0 } items ? items.Aggregate((x, y) => Values.Compare(y, x) > 0 ? y : x) : new Undefined("max"),
        ["int"] = (v, a) => ToInteger(v, a.Get(0, "default", 0L)),
        ["float"] = (v, a) => ToFloat(v, a.Get(0, "default", 0.0)),
        ["abs"] = (v, _) => v is double d ? Math.Abs(d) : Math.Abs(Values.Long(v)),
        ["round"] = (v, a) => Math.Round(Values.Double(v), (int)Math.Clamp(Values.Long(a.Get(0, "precision", 0L)), 0, 15)),
        ["items"] = (v, _) => v is Undefined ? new List<object?>() : v is Map map ? Pairs(map) : throw new ChatTemplateException($"the filter 'items' needs a mapping, not {Values.Kind(v)}"),
        ["dictsort"] = (v, _) => v is Map map ? Pairs(map).OrderBy(p => Values.Text(((List<object?>)p!)[0]).ToLowerInvariant(), StringComparer.Ordinal).ToList()
            : throw new ChatTemplateException($"the filter 'dictsort' needs a mapping, not {Values.Kind(v)}"),
        ["map"] = Map,
        ["select"] = (v, a) => Select(v, a, attribute: false, wanted: true),
        ["reject"] = (v, a) => Select(v, a, attribute: false, wanted: false),
        ["selectattr"] = (v, a) => Select(v, a, attribute: true, wanted: true),
        ["rejectattr"] = (v, a) => Select(v, a, attribute: true, wanted: false),
        ["truncate"] = Truncate,
        ["indent"] = Indent,
        ["format"] = (v, a) => Format(Values.Text(v), a.Plain),
    };

    public static bool Known(string name) => Table.ContainsKey(name);

    public static object? Apply(string name, object? value, List<object?> plain, Dictionary<string, object?> named) => Table[name](value, new Arguments(plain, named));

    private static object? Default(object? value, Arguments a) =>
        value is Undefined || (a.Flag(1, "boolean") && !Values.IsTrue(value)) ? a.Get(0, "default_value", "") : value;

    private static long Length(object? value) => value is string s ? Values.Runes(s).Count : value is Map map ? map.Count : Values.Items(value).Count;

    private static List<object?> Pairs(Map map) => [.. map.Select(p => (object?)new List<object?> { p.Key, p.Value })];

    private static List<object?> Unique(List<object?> items)
    {
        var found = new List<object?>();
        foreach (var item in items)
            if (!found.Any(f => Values.Same(Fold(f), Fold(item)))) found.Add(item);
        return found;
    }

    private static List<object?> Sort(object? value, Arguments a)
    {
        var sensitive = a.Flag(1, "case_sensitive");
        var attribute = a.Get(2, "attribute") as string;
        object? Key(object? item) => attribute is null ? sensitive ? item : Fold(item) : Path(item, attribute);
        var sorted = Values.Items(value).OrderBy(Key, Comparer<object?>.Create(Values.Compare));
        return a.Flag(0, "reverse") ? [.. Values.Items(value).OrderByDescending(Key, Comparer<object?>.Create(Values.Compare))] : [.. sorted];
    }

    private static object? Fold(object? item) => item is string s ? s.ToLowerInvariant() : item;

    private static List<object?> Map(object? value, Arguments a)
    {
        if (a.Named.TryGetValue("attribute", out var attribute))
        {
            var otherwise = a.Named.GetValueOrDefault("default");
            return [.. Values.Items(value).Select(i => Path(i, Values.Text(attribute)) is var found && found is Undefined && otherwise is not null ? otherwise : found)];
        }
        var name = a.Text(0, "filter");
        if (!Known(name)) throw new ChatTemplateException($"the filter '{name}' is unknown");
        return [.. Values.Items(value).Select(i => Apply(name, i, a.Plain.Skip(1).ToList(), a.Named))];
    }

    private static List<object?> Select(object? value, Arguments a, bool attribute, bool wanted)
    {
        var skip = attribute ? 1 : 0;
        var test = a.Plain.Count > skip ? Values.Text(a.Plain[skip]) : null;
        if (test is not null && !Tests.Known(test)) throw new ChatTemplateException($"the test '{test}' is unknown");
        bool Holds(object? item)
        {
            var tested = attribute ? Path(item, a.Text(0, "attribute")) : item;
            return test is null ? Values.IsTrue(tested) : Tests.Apply(test, tested, a.Plain.Skip(skip + 1).ToList());
        }
        return [.. Values.Items(value).Where(i => Holds(i) == wanted)];
    }

    /// <summary>An attribute, or one of an attribute: <c>function.name</c>.</summary>
    private static object? Path(object? value, string path) =>
        path.Split('.').Aggregate(value, (at, name) => at is Undefined ? at : long.TryParse(name, out var index) ? Members.Item(at, index) : Members.Item(at, name));

    private static object? ToInteger(object? value, object? otherwise) => value switch
    {
        long or bool => Values.Long(value),
        double d => (long)d,
        string s when long.TryParse(s.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) => n,
        string s when double.TryParse(s.Trim(), CultureInfo.InvariantCulture, out var d) => (long)d,
        _ => otherwise,
    };

    private static object? ToFloat(object? value, object? otherwise) => value switch
    {
        long or bool or double => Values.Double(value),
        string s when double.TryParse(s.Trim(), CultureInfo.InvariantCulture, out var d) => d,
        _ => otherwise,
    };

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string Truncate(object? value, Arguments a)
    {
        var text = Values.Text(value);
        var (length, end) = ((int)Math.Clamp(Values.Long(a.Get(0, "length", 255L)), 0, int.MaxValue / 2), a.Text(2, "end", "..."));
        if (text.Length <= length + Values.Long(a.Get(3, "leeway", 5L))) return text;
        var cut = text[..Math.Max(0, length - end.Length)];
        if (!a.Flag(1, "killwords") && cut.LastIndexOf(' ') is var blank and >= 0) cut = cut[..blank];
        return cut + end;
    }

    private static string Indent(object? value, Arguments a)
    {
        var width = a.Get(0, "width", 4L) is string s ? s : new string(' ', (int)Math.Clamp(Values.Long(a.Get(0, "width", 4L)), 0, 256));
        var lines = Values.Text(value).Split('\n');
        for (var i = 0; i < lines.Length; i++)
            if ((i > 0 || a.Flag(1, "first")) && (lines[i].Length > 0 || a.Flag(2, "blank"))) lines[i] = width + lines[i];
        return string.Join('\n', lines);
    }

    /// <summary>Python's <c>%</c>, with <c>%s</c>, <c>%d</c> and <c>%%</c>.</summary>
    private static string Format(string text, List<object?> arguments)
    {
        var (parts, next) = (text.Split('%'), 0);
        for (var i = 1; i < parts.Length; i++)
        {
            if (parts[i].Length == 0 && i + 1 < parts.Length)
            {
                parts[i] = "%";
                i++;
                continue;
            }
            if (parts[i].Length == 0 || parts[i][0] is not ('s' or 'd') || next >= arguments.Count)
                throw new ChatTemplateException($"the format '{text}' does not fit its {arguments.Count} arguments, or uses more than %s and %d");
            parts[i] = Values.Text(arguments[next++]) + parts[i][1..];
        }
        return string.Concat(parts);
    }
}
