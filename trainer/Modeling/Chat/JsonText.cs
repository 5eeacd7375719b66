using System.Globalization;
using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>Values as Python's <c>json.dumps</c> writes them, which is what <c>tojson</c> is in chat templates.</summary>
/// <param name="Ascii">Everything beyond ASCII as an escape.</param>
/// <param name="Indent">What a level is set in by; null: all in one line.</param>
internal sealed record JsonText(Budget Budget, bool Ascii, string? Indent, string Comma, string Colon, bool SortKeys)
{
    private readonly StringBuilder text = new();

    public string Write(object? value)
    {
        Write(value, 0);
        return text.ToString();
    }

    private void Write(object? value, int depth)
    {
        Budget.Step();
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool b: text.Append(b ? "true" : "false"); break;
            case long n: text.Append(n); break;
            case double d: text.Append(Number(d)); break;
            case string s: Quote(s); break;
            case List<object?> { Count: 0 }: text.Append("[]"); break;
            case Map { Count: 0 }: text.Append("{}"); break;
            case List<object?> list: Between('[', ']', list, depth, item => Write(item, depth + 1)); break;
            case Map map: Between('{', '}', Pairs(map), depth, pair =>
            {
                Quote(Key(pair.Key));
                text.Append(Colon);
                Write(pair.Value, depth + 1);
            }); break;
            default: throw new ChatTemplateException($"{Values.Kind(value)} cannot be written as JSON");
        }
    }

    private IEnumerable<KeyValuePair<object, object?>> Pairs(Map map) => SortKeys
        ? map.Order(Comparer<KeyValuePair<object, object?>>.Create((a, b) => Values.Compare(Map.Shown(a.Key), Map.Shown(b.Key), Budget)))
            : map;

    private static string Number(double d) =>
        double.IsNaN(d) ? "NaN" : double.IsInfinity(d) ? d > 0 ? "Infinity" : "-Infinity" : Printing.Float(d);

    private static string Key(object key) => Map.Shown(key) switch
    {
        null => "null",
        string s => s,
        double d => Number(d),
        var other => string.Create(CultureInfo.InvariantCulture, $"{other}"),
    };

    private void Between<T>(char open, char close, IEnumerable<T> items, int depth, Action<T> write)
    {
        using var level = Budget.Enter();
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) text.Append(Comma);
            first = false;
            Line(depth + 1);
            write(item);
        }
        Line(depth);
        text.Append(close);
    }

    private void Line(int depth)
    {
        if (Indent is null) return;
        Budget.Spend(1 + (long)depth * Indent.Length);
        text.Append('\n').Insert(text.Length, Indent, depth);
    }

    private void Quote(string s)
    {
        Budget.Spend(s.Length);
        text.Append('"');
        foreach (var c in s)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                _ when c < ' ' || (Ascii && c > '~') => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }
}
