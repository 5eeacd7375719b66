using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>What a filter makes of a value.</summary>
internal delegate object? Filter(object? value, CallArguments arguments);

/// <summary>Jinja's filters, without those that make HTML. Those for lists are in <see cref="ListFilters"/>.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Filter> Table = new(ListFilters.Table, StringComparer.Ordinal)
    {
        ["trim"] = (v, a) => PythonText.Strip(Text(v, a), a.OptionalText(0, "chars")),
        ["upper"] = (v, a) => Text(v, a).ToUpperInvariant(),
        ["lower"] = (v, a) => Text(v, a).ToLowerInvariant(),
        ["title"] = (v, a) => Title(Text(v, a)),
        ["capitalize"] = (v, a) => PythonText.Capitalize(Text(v, a)),
        ["string"] = (v, a) => Text(v, a),
        ["safe"] = (v, a) => Text(v, a),
        ["escape"] = (v, a) => Escape(v, a),
        ["e"] = (v, a) => Escape(v, a),
        ["forceescape"] = (v, a) => Escape(v, a),
        ["replace"] = Replace,
        ["tojson"] = ToJson,
        ["pprint"] = (v, a) => Printing.Show(v, a.Budget),
        ["default"] = Default,
        ["d"] = Default,
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = (v, _) => v is double d ? Math.Abs(d) : Values.Long(v) is var n && n < 0 ? Arithmetic.Negate(n) : n,
        ["round"] = Round,
        ["truncate"] = Truncate,
        ["indent"] = Indent,
        ["center"] = (v, a) => TextMethods.Pad(Text(v, a), Spent(Values.Count(a.Get(0, "width", 80L)), a), " ", left: true, right: true),
        ["wordcount"] = (v, a) => (long)PythonText.Split(Text(v, a), null, -1, fromRight: false).Count,
        ["format"] = (v, a) => TextFormat.Percent(Text(v, a), a.Plain, a.Named.Count > 0 ? NamedMap(a) : null, a.Budget),
        ["attr"] = (v, a) => v is Map ? new Undefined(a.Text(0, "name")) : Members.Attribute(v, a.Text(0, "name"), a.Budget),
    };

    public static bool Known(string name) => Table.ContainsKey(name);

    public static object? Apply(string name, object? value, IReadOnlyList<object?> plain, IReadOnlyDictionary<string, object?> named,
        Budget budget)
    {
        budget.Step();
        if (value is string text) budget.Spend(text.Length);
        var result = Table[name](value, new CallArguments(plain, named, budget));
        if (result is string made) budget.Spend(made.Length);
        return result;
    }

    private static string Text(object? value, CallArguments a) => Printing.Text(value, a.Budget);

    private static int Spent(int width, CallArguments a)
    {
        a.Budget.Spend(Math.Max(0, width));
        return width;
    }

    private static Map NamedMap(CallArguments a)
    {
        var map = new Map();
        foreach (var (name, value) in a.Named) map[name] = value;
        return map;
    }

    private static object? Default(object? value, CallArguments a) =>
        value is Undefined || (a.Flag(1, "boolean") && !Values.IsTrue(value)) ? a.Get(0, "default_value", "") : value;

    private static string Replace(object? value, CallArguments a)
    {
        var (text, old, with) = (Text(value, a), Printing.Text(a.Get(0, "old"), a.Budget), Printing.Text(a.Get(1, "new"), a.Budget));
        var most = a.Get(2, "count") is { } count ? Values.Count(count) : -1;
        return PythonText.Replace(text, old, TextMethods.Bounded(text, old, with, most, a.Budget), most);
    }

    /// <summary>As transformers defines it: no HTML escapes, and the parameters of <c>json.dumps</c>.</summary>
    private static string ToJson(object? value, CallArguments a)
    {
        var indent = a.Get(1, "indent") switch
        {
            null => null,
            string s => s,
            var n => new string(' ', (int)Math.Clamp(Values.Long(n), 0, 64)),
        };
        var (comma, colon) = a.Get(2, "separators") is List<object?> { Count: 2 } pair
            ? (Text(pair[0], a), Text(pair[1], a)) : (indent is null ? ", " : ",", ": ");
        return new JsonText(a.Budget, a.Flag(0, "ensure_ascii"), indent, comma, colon, a.Flag(3, "sort_keys")).Write(value);
    }

    private static object? ToInteger(object? value, CallArguments a)
    {
        var otherwise = a.Get(0, "default", 0L);
        switch (value)
        {
            case Undefined u: throw new ChatTemplateException($"'{u.Name}' is undefined");
            case long or bool: return Values.Long(value);
            case double d: return Whole(d) is { } whole ? whole : otherwise;
            case string s:
                var trimmed = PythonText.Strip(s, null);
                if (Values.Long(a.Get(1, "base", 10L)) == 16)
                {
                    var hex = trimmed.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? trimmed[2..] : trimmed;
                    return long.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var h) ? h : otherwise;
                }
                if (long.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture, out var n)) return n;
                return Number(trimmed) is { } parsed && Whole(parsed) is { } cut ? cut : otherwise;
            default: return otherwise;
        }
    }

    private static object? ToFloat(object? value, CallArguments a) => value switch
    {
        Undefined u => throw new ChatTemplateException($"'{u.Name}' is undefined"),
        long or bool or double => Values.Double(value),
        string s when Number(PythonText.Strip(s, null)) is { } d => d,
        _ => a.Get(0, "default", 0.0),
    };

    private static long? Whole(double d) => double.IsFinite(d) && Math.Abs(d) < 9e18 ? (long)d : null;

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null;

    private static object Round(object? value, CallArguments a)
    {
        var places = Values.Count(a.Get(0, "precision", 0L));
        var scale = Math.Pow(10, places);
        switch (a.Get(1, "method", "common"))
        {
            case "common" when value is long or bool && places >= 0: return Values.Long(value);
            case "common" when value is long or bool: return (long)Arithmetic.Round(Values.Double(value), places);
            case "common": return Arithmetic.Round(Values.Double(value), places);
            case "ceil": return Math.Ceiling(Values.Double(value) * scale) / scale;
            case "floor": return Math.Floor(Values.Double(value) * scale) / scale;
            default: throw new ChatTemplateException("round knows the methods common, ceil and floor");
        }
    }

    /// <summary>Unlike the method of that name, words begin after blanks, hyphens and opening brackets only.</summary>
    private static string Title(string text)
    {
        var letters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < letters.Length; i++)
            if (i == 0 || PythonText.IsBlank(letters[i - 1])
                || letters[i - 1] is '-' or '(' or '{' or '[' or '<') letters[i] = char.ToUpperInvariant(letters[i]);
        return new string(letters);
    }

    private static string Escape(object? value, CallArguments a) => Text(value, a).Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string Truncate(object? value, CallArguments a)
    {
        var text = Text(value, a);
        var (length, end) = (Values.Count(a.Get(0, "length", 255L)), a.Get(2, "end", "...") as string ?? "...");
        var leeway = a.Get(3, "leeway") is { } given ? Values.Count(given) : 5;
        var kept = length - PythonText.Length(end);
        if (kept < 0 || leeway < 0)
            throw new ChatTemplateException("truncate needs a length of at least its end's, and no negative leeway");
        if (PythonText.Length(text) <= length + leeway) return text;
        var cut = text[..PythonText.UnitOf(text, kept)];
        if (!a.Flag(1, "killwords") && cut.LastIndexOf(' ') is var blank and >= 0) cut = cut[..blank];
        return cut + end;
    }

    private static string Indent(object? value, CallArguments a)
    {
        var width = a.Get(0, "width", 4L) is string s ? s : new string(' ', (int)Math.Clamp(Values.Long(a.Get(0, "width", 4L)), 0, 1000));
        // The line break that is added makes a last line that is empty count.
        var lines = PythonText.Lines(Text(value, a) + "\n");
        a.Budget.Spend((long)lines.Count * width.Length);
        for (var i = 1; i < lines.Count; i++)
            if (lines[i] is string { Length: > 0 } || a.Flag(2, "blank")) lines[i] = width + lines[i];
        return (a.Flag(1, "first") ? width : "") + string.Join('\n', lines);
    }
}
