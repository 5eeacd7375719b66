using System.Globalization;
using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>Values as Python's <c>str</c> and <c>repr</c> write them.</summary>
internal static class Printing
{
    public static string Text(object? value, Budget budget)
    {
        switch (value)
        {
            case string s: return s;
            case Undefined: return "";
            default:
                var text = new StringBuilder();
                Show(text, value, budget);
                return text.ToString();
        }
    }

    /// <summary>As <c>repr</c>: texts in quotes.</summary>
    public static string Show(object? value, Budget budget)
    {
        var text = new StringBuilder();
        Show(text, value, budget);
        return text.ToString();
    }

    public static string Float(double d)
    {
        if (double.IsNaN(d)) return "nan";
        if (double.IsInfinity(d)) return d > 0 ? "inf" : "-inf";
        // The shortest digits that mean this number are the same in both languages; where the exponent begins is not.
        var shortest = d.ToString("R", CultureInfo.InvariantCulture);
        var e = shortest.IndexOf('E');
        var mantissa = (e < 0 ? shortest : shortest[..e]).TrimStart('-');
        var point = mantissa.IndexOf('.') is var dot and >= 0 ? dot : mantissa.Length;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var zeros = digits.Length - digits.TrimStart('0').Length;
        if (zeros == digits.Length) return double.IsNegative(d) ? "-0.0" : "0.0";
        var exponent = point - 1 - zeros + (e < 0 ? 0 : int.Parse(shortest.AsSpan(e + 1), CultureInfo.InvariantCulture));
        digits = digits[zeros..].TrimEnd('0');
        var sign = d < 0 ? "-" : "";
        if (exponent is >= 0 and < 16)
        {
            digits = digits.PadRight(exponent + 2, '0');
            return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
        }
        if (exponent is >= -4 and < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        mantissa = sign + (digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}");
        return $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static void Show(StringBuilder text, object? value, Budget budget)
    {
        budget.Step();
        switch (value)
        {
            case null: text.Append("None"); break;
            case bool b: text.Append(b ? "True" : "False"); break;
            case long n: text.Append(CultureInfo.InvariantCulture, $"{n}"); break;
            case double d: text.Append(Float(d)); break;
            case string s:
                budget.Spend(s.Length);
                Quote(text, s);
                break;
            case Row row: Between(text, '(', row.Count == 1 ? ",)" : ")", row, budget, item => Show(text, item, budget)); break;
            case List<object?> list: Between(text, '[', "]", list, budget, item => Show(text, item, budget)); break;
            case Map map:
                Between(text, '{', "}", map, budget, pair =>
                {
                    Show(text, Map.Shown(pair.Key), budget);
                    text.Append(": ");
                    Show(text, pair.Value, budget);
                });
                break;
            case Undefined: text.Append("Undefined"); break;
            default: text.Append(CultureInfo.InvariantCulture, $"<{value.GetType().Name.ToLowerInvariant()}>"); break;
        }
    }

    private static void Between<T>(StringBuilder text, char open, string close, IEnumerable<T> items, Budget budget, Action<T> show)
    {
        using var level = budget.Enter();
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) text.Append(", ");
            first = false;
            show(item);
        }
        text.Append(close);
    }

    private static void Quote(StringBuilder text, string s)
    {
        var quote = s.Contains('\'') && !s.Contains('"') ? '"' : '\'';
        text.Append(quote);
        for (var i = 0; i < s.Length; i++)
        {
            var c = s[i];
            if (c == quote || c == '\\') text.Append('\\').Append(c);
            else if (c == '\n') text.Append("\\n");
            else if (c == '\r') text.Append("\\r");
            else if (c == '\t') text.Append("\\t");
            else if (c is >= ' ' and < '\x7f') text.Append(c);
            else
            {
                var code = char.IsSurrogatePair(s, i) ? char.ConvertToUtf32(s, i) : c;
                var printable = CharUnicodeInfo.GetUnicodeCategory(code) is not (UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
                if (printable) text.Append(s, i, code > 0xFFFF ? 2 : 1);
                else text.Append(CultureInfo.InvariantCulture,
                    $"{(code > 0xFFFF ? $"\\U{code:x8}" : code > 0xFF ? $"\\u{code:x4}" : $"\\x{code:x2}")}");
                if (code > 0xFFFF) i++;
            }
        }
        text.Append(quote);
    }
}
