using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Graft.Modeling.Chat;

/// <summary>A name, attribute or item that is not there. It prints as nothing and is false; using it further is an error.</summary>
internal sealed record Undefined(string Name);

/// <summary>A mapping in the order in which it was written; keys are texts, numbers, booleans.</summary>
internal sealed class Map : OrderedDictionary<object, object?>;

/// <summary>What <c>namespace()</c> makes: the one thing whose attributes a template may set, as its variables do not outlive a loop.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something a template may call.</summary>
internal delegate object? Callable(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>
/// Values of a template: null (none), bool, long, double, string, <see cref="List{T}"/> of them, <see cref="Map"/>,
/// <see cref="Undefined"/>, <see cref="Namespace"/>, <see cref="Callable"/>. They print and compare as Python's.
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

    public static string Text(object? value) => value switch
    {
        string s => s,
        Undefined => "",
        _ => Show(value),
    };

    /// <summary>As Python's <c>repr</c> writes it.</summary>
    public static string Show(object? value) => value switch
    {
        null => "None",
        true => "True",
        false => "False",
        long n => n.ToString(CultureInfo.InvariantCulture),
        double d => Float(d),
        string s => Quote(s),
        List<object?> list => $"[{string.Join(", ", list.Select(Show))}]",
        Map map => $"{{{string.Join(", ", map.Select(p => $"{Show(p.Key)}: {Show(p.Value)}"))}}}",
        Undefined => "Undefined",
        _ => $"<{value.GetType().Name.ToLowerInvariant()}>",
    };

    public static string ToJson(object? value, int? indent = null)
    {
        var text = new StringBuilder();
        WriteJson(text, value, indent, 0);
        return text.ToString();
    }

    public static bool Same(object? a, object? b) => (a, b) switch
    {
        (null, null) => true,
        (Undefined, Undefined) => true,
        (List<object?> x, List<object?> y) => x.Count == y.Count && x.Zip(y).All(p => Same(p.First, p.Second)),
        (Map x, Map y) => x.Count == y.Count && x.All(p => y.TryGetValue(p.Key, out var other) && Same(p.Value, other)),
        _ when IsNumber(a) && IsNumber(b) => a is long or bool && b is long or bool ? Long(a) == Long(b) : Double(a) == Double(b),
        _ => Equals(a, b),
    };

    public static int Compare(object? a, object? b)
    {
        if (IsNumber(a) && IsNumber(b)) return Double(a).CompareTo(Double(b));
        if (a is string x && b is string y) return string.CompareOrdinal(x, y);
        if (a is List<object?> p && b is List<object?> q)
        {
            for (var i = 0; i < Math.Min(p.Count, q.Count); i++)
                if (Compare(p[i], q[i]) is var c and not 0) return c;
            return p.Count.CompareTo(q.Count);
        }
        throw new ChatTemplateException($"{Kind(a)} and {Kind(b)} cannot be ordered");
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        string s => item is string part ? s.Contains(part, StringComparison.Ordinal) : throw new ChatTemplateException($"'in' of a text needs a text, not {Kind(item)}"),
        List<object?> list => list.Any(v => Same(v, item)),
        Map map => item is not null && map.ContainsKey(item),
        _ => throw new ChatTemplateException($"{Kind(container)} holds nothing that could be looked for"),
    };

    public static List<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        Map map => [.. map.Keys],
        string s => [.. Runes(s)],
        Undefined => [],
        _ => throw new ChatTemplateException($"{Kind(value)} cannot be iterated over"),
    };

    public static List<string> Runes(string text)
    {
        var runes = new List<string>();
        for (var i = 0; i < text.Length; i += char.IsSurrogatePair(text, i) ? 2 : 1)
            runes.Add(text.Substring(i, i + 1 < text.Length && char.IsSurrogatePair(text, i) ? 2 : 1));
        return runes;
    }

    public static bool IsNumber(object? value) => value is long or double or bool;

    public static long Long(object? value) => value switch
    {
        long n => n,
        bool b => b ? 1 : 0,
        double d => (long)d,
        _ => throw new ChatTemplateException($"{Kind(value)} is no number"),
    };

    public static double Double(object? value) => value is double d ? d : Long(value);

    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined u => $"'{u.Name}', which is undefined,",
        bool => "a boolean",
        long or double => "a number",
        string => "a text",
        List<object?> => "a list",
        Map => "a mapping",
        _ => "an object",
    };

    private static void WriteJson(StringBuilder text, object? value, int? indent, int depth)
    {
        if (depth > 64) throw new ChatTemplateException("the value for tojson is nested too deeply");
        void Line(int level)
        {
            if (indent is { } width) text.Append('\n').Append(' ', width * level);
        }
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool b: text.Append(b ? "true" : "false"); break;
            case string s: text.Append(JsonSerializer.Serialize(s, TemplateJson.Relaxed.String)); break;
            case List<object?> { Count: 0 }: text.Append("[]"); break;
            case Map { Count: 0 }: text.Append("{}"); break;
            case List<object?> list:
                Between('[', ']', list, item => WriteJson(text, item, indent, depth + 1));
                break;
            case Map map:
                Between('{', '}', map, pair =>
                {
                    WriteJson(text, pair.Key as string ?? Text(pair.Key), indent, depth + 1);
                    text.Append(": ");
                    WriteJson(text, pair.Value, indent, depth + 1);
                });
                break;
            case long or double: text.Append(Show(value)); break;
            default: throw new ChatTemplateException($"{Kind(value)} cannot be written as JSON");
        }

        void Between<T>(char open, char close, IEnumerable<T> items, Action<T> write)
        {
            text.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) text.Append(indent is null ? ", " : ",");
                first = false;
                Line(depth + 1);
                write(item);
            }
            Line(depth);
            text.Append(close);
        }
    }

    private static string Float(double d)
    {
        if (double.IsNaN(d)) return "nan";
        if (double.IsInfinity(d)) return d > 0 ? "inf" : "-inf";
        var text = d.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') >= 0 ? text : text + ".0";
    }

    private static string Quote(string s)
    {
        var quote = s.Contains('\'') && !s.Contains('"') ? '"' : '\'';
        var text = new StringBuilder().Append(quote);
        foreach (var c in s)
        {
            _ = c switch
            {
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\\' => text.Append("\\\\"),
                _ when c == quote => text.Append('\\').Append(c),
                _ => text.Append(c),
            };
        }
        return text.Append(quote).ToString();
    }
}
