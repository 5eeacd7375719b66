using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>Functions that every chat template may call: Jinja's own, and those that transformers adds.</summary>
internal static class Globals
{
    private const long LongestRange = 100_000;

    public static void AddTo(Scope scope, TimeProvider clock)
    {
        var budget = scope.Budget;
        scope["raise_exception"] = new Callable((a, _) =>
            throw new ChatTemplateException(a.Count > 0 ? Printing.Text(a[0], budget) : "the template refuses these messages"));
        scope["strftime_now"] = new Callable((a, _) =>
            a is [string format] ? budget.Made(Strftime(clock.GetLocalNow(), format))
                : throw new ChatTemplateException("strftime_now takes a format"));
        scope["namespace"] = new Callable((a, named) => MakeNamespace(a, named, budget));
        scope["dict"] = new Callable((a, named) => MakeMap(a, named, budget));
        scope["range"] = new Callable((a, _) => budget.Made(Range(a)));
        scope["joiner"] = new Callable((a, _) => Joiner(a.Count > 0 ? a[0] : ", "));
        scope["cycler"] = new Callable((a, _) => Cycler(a));
    }

    private static Namespace MakeNamespace(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, Budget budget)
    {
        var space = new Namespace();
        foreach (var (key, value) in MakeMap(arguments, named, budget)) space.Values[Printing.Text(Map.Shown(key), budget)] = value;
        return space;
    }

    private static Map MakeMap(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named, Budget budget)
    {
        var map = new Map();
        if (arguments is [Map from])
            foreach (var (key, value) in from) map[key] = value;
        else if (arguments is [var pairs])
            foreach (var pair in Values.Items(pairs, budget))
                map[Map.Key(Values.Items(pair, budget) is [var key, _] ? key
                    : throw new ChatTemplateException("dict needs pairs"))] = Values.Items(pair, budget)[1];
        foreach (var (name, value) in named) map[name] = value;
        budget.Spend(8L * map.Count);
        return map;
    }

    private static List<object?> Range(IReadOnlyList<object?> arguments)
    {
        var numbers = arguments.Select(Values.Long).ToList();
        var (from, to, step) = numbers.Count switch
        {
            1 => (0, numbers[0], 1),
            2 => (numbers[0], numbers[1], 1),
            3 when numbers[2] != 0 => (numbers[0], numbers[1], numbers[2]),
            _ => throw new ChatTemplateException("range takes one to three numbers, and a step that is not zero"),
        };
        var items = new List<object?>();
        for (Int128 i = from; step > 0 ? i < to : i > to; i += step)
        {
            if (items.Count >= LongestRange) throw new ChatTemplateException($"a range has more than {LongestRange} numbers");
            items.Add((long)i);
        }
        return items;
    }

    /// <summary>Nothing the first time, then the separator.</summary>
    private static Callable Joiner(object? separator)
    {
        var used = false;
        return (_, _) =>
        {
            if (used) return separator;
            used = true;
            return "";
        };
    }

    private static Namespace Cycler(IReadOnlyList<object?> items)
    {
        if (items.Count == 0) throw new ChatTemplateException("cycler needs values");
        var (space, at) = (new Namespace(), 0);
        space.Values["current"] = items[0];
        space.Values["next"] = new Callable((_, _) =>
        {
            var current = items[at];
            at = (at + 1) % items.Count;
            space.Values["current"] = items[at];
            return current;
        });
        space.Values["reset"] = new Callable((_, _) =>
        {
            at = 0;
            space.Values["current"] = items[0];
            return null;
        });
        return space;
    }

    /// <summary>The conversions of C's <c>strftime</c> that name parts of a date or time, in the C locale.</summary>
    internal static string Strftime(DateTimeOffset now, string format)
    {
        if (format.Length > 1000) throw new ChatTemplateException("the format of strftime_now is too long");
        var culture = CultureInfo.InvariantCulture;
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var unpadded = format[i + 1] == '-' && i + 2 < format.Length;
            var kind = format[i += unpadded ? 2 : 1];
            var part = kind switch
            {
                'Y' => now.ToString("yyyy", culture), 'y' => now.ToString("yy", culture), 'm' => now.ToString("MM", culture),
                'd' => now.ToString("dd", culture), 'e' => now.Day.ToString(culture).PadLeft(2), 'H' => now.ToString("HH", culture),
                'I' => now.ToString("hh", culture), 'M' => now.ToString("mm", culture), 'S' => now.ToString("ss", culture),
                'f' => now.ToString("ffffff", culture), 'p' => now.ToString("tt", culture), 'B' => now.ToString("MMMM", culture),
                'b' or 'h' => now.ToString("MMM", culture), 'A' => now.ToString("dddd", culture), 'a' => now.ToString("ddd", culture),
                'j' => now.DayOfYear.ToString("000", culture), 'F' => now.ToString("yyyy-MM-dd", culture), 'T' =>
                    now.ToString("HH:mm:ss", culture),
                'R' => now.ToString("HH:mm", culture), 'D' or 'x' => now.ToString("MM/dd/yy", culture), 'X' =>
                    now.ToString("HH:mm:ss", culture),
                'c' => now.ToString("ddd MMM ", culture) + now.Day.ToString(culture).PadLeft(2) + now.ToString(" HH:mm:ss yyyy", culture),
                'w' => ((int)now.DayOfWeek).ToString(culture), 'u' => ((int)(now.DayOfWeek + 6) % 7 + 1).ToString(culture),
                'V' => ISOWeek.GetWeekOfYear(now.DateTime).ToString("00", culture), 'G' =>
                    ISOWeek.GetYear(now.DateTime).ToString("0000", culture),
                's' => now.ToUnixTimeSeconds().ToString(culture), 'n' => "\n", 't' => "\t", '%' => "%", 'z' or 'Z' => "",
                _ => $"%{kind}",
            };
            text.Append(unpadded && part.TrimStart('0', ' ') is { Length: > 0 } cut ? cut : part);
        }
        return text.ToString();
    }
}
