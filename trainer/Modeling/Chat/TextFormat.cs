using System.Globalization;
using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>Python's two ways to fill a text: <c>'%s' % x</c> and <c>'{}'.format(x)</c>.</summary>
internal static class TextFormat
{
    private const int WidestField = 10_000;

    /// <param name="named">For <c>%(name)s</c>.</param>
    public static string Percent(string format, IReadOnlyList<object?> arguments, Map? named, Budget budget)
    {
        var (text, next) = (new StringBuilder(), 0);
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            if (++i < format.Length && format[i] == '%')
            {
                text.Append('%');
                continue;
            }
            string? name = null;
            if (i < format.Length && format[i] == '(' && format.IndexOf(')', i) is var close and > 0)
            {
                name = format[(i + 1)..close];
                i = close + 1;
            }
            var start = i;
            while (i < format.Length && "-+ 0#".Contains(format[i], StringComparison.Ordinal)) i++;
            var flags = format[start..i];
            var width = Number(format, ref i) ?? 0;
            int? precision = i < format.Length && format[i] == '.' ? SkipPoint(format, ref i) : null;
            if (i >= format.Length) throw new ChatTemplateException($"the format '{format}' is incomplete");
            object? value;
            if (name is not null) value = named is not null && named.TryGetValue(name, out var found) ? found
                : throw new ChatTemplateException($"the format lacks '{name}'");
            else value = next < arguments.Count ? arguments[next++]
                : throw new ChatTemplateException($"the format '{format}' has too few arguments");
            text.Append(Pad(Field(format[i], value, precision, flags, budget), width, flags));
            budget.Spend(width);
        }
        if (named is null && next < arguments.Count) throw new ChatTemplateException($"the format '{format}' has too many arguments");
        return budget.Made(text.ToString());
    }

    /// <summary><c>{}</c>, <c>{0}</c> and <c>{name}</c>; what would reach into a value or shape it is refused.</summary>
    public static string Braces(string format, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, Budget budget)
    {
        var (text, next) = (new StringBuilder(), 0);
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] is not ('{' or '}'))
            {
                text.Append(format[i]);
                continue;
            }
            if (i + 1 < format.Length && format[i + 1] == format[i])
            {
                text.Append(format[i++]);
                continue;
            }
            var close = format[i] == '{' ? format.IndexOf('}', i) : -1;
            if (close < 0) throw new ChatTemplateException($"the format '{format}' has a brace without its counterpart");
            var name = format[(i + 1)..close];
            object? value;
            if (name.Length == 0) value = next < arguments.Count ? arguments[next++]
                : throw new ChatTemplateException($"the format '{format}' has too few arguments");
            else if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var place)
                && place < arguments.Count) value = arguments[place];
            else if (!named.TryGetValue(name, out value))
                throw new ChatTemplateException($"the format '{format}' has no argument '{name}'");
            text.Append(budget.Made(Printing.Text(value, budget)));
            i = close;
        }
        return budget.Made(text.ToString());
    }

    private static string Field(char kind, object? value, int? precision, string flags, Budget budget)
    {
        var sign = flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "";
        string Signed(bool negative, string digits) => (negative ? "-" : sign) + digits;
        switch (kind)
        {
            case 's' or 'r':
                var shown = kind == 's' ? Printing.Text(value, budget) : Printing.Show(value, budget);
                return precision is { } most ? shown[..PythonText.UnitOf(shown, most)] : shown;
            case 'd' or 'i' or 'u':
                var whole = value is double d ? double.IsFinite(d) && Math.Abs(d) < 9e18 ? (long)d
                    : throw new ChatTemplateException("a number is too large") : Values.Long(value);
                return Signed(whole < 0, ((Int128)whole < 0 ? -(Int128)whole : whole).ToString("D"
                    + Math.Min(precision ?? 1, WidestField), CultureInfo.InvariantCulture));
            case 'f' or 'F':
                var number = Values.Double(value);
                return Signed(number < 0, Math.Abs(number).ToString("F" + Math.Min(precision ?? 6, 400), CultureInfo.InvariantCulture));
            case 'x' or 'X':
                var hex = Values.Long(value);
                return Signed(hex < 0, ((ulong)Math.Abs((decimal)hex)).ToString(kind == 'x' ? "x" : "X", CultureInfo.InvariantCulture));
            default: throw new ChatTemplateException($"a format knows %s, %r, %d, %f and %x, not %{kind}");
        }
    }

    private static string Pad(string text, int width, string flags)
    {
        if (flags.Contains('-')) return text.PadRight(width);
        if (!flags.Contains('0') || text.Length >= width) return text.PadLeft(width);
        var signs = text.Length > 0 && text[0] is '-' or '+' or ' ' ? 1 : 0;
        return text[..signs] + text[signs..].PadLeft(width - signs, '0');
    }

    private static int SkipPoint(string format, ref int i)
    {
        i++;
        return Number(format, ref i) ?? 0;
    }

    private static int? Number(string format, ref int i)
    {
        var start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i])) i++;
        if (i == start) return null;
        return int.TryParse(format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= WidestField
            ? number : throw new ChatTemplateException($"a format's width is more than {WidestField}");
    }
}
