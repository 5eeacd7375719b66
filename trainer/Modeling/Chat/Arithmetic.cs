using System.Numerics;

namespace Graft.Modeling.Chat;

/// <summary>Python's operators, as far as templates use them.</summary>
internal static class Arithmetic
{
    public static object? Apply(string name, object? a, object? b, Budget budget)
    {
        switch (name)
        {
            case "~": return budget.Made(Printing.Text(a, budget) + Printing.Text(b, budget));
            case "+" when a is string x && b is string y: return budget.Made(x + y);
            case "+" when a is Row x && b is Row y: return budget.Made(new Row(x.Concat(y)));
            case "+" when a is List<object?> x && b is List<object?> y && a is Row == b is Row: return budget.Made([.. x, .. y]);
            case "*" when a is string or List<object?> && b is long or bool: return Repeat(a, Values.Long(b), budget);
            case "*" when b is string or List<object?> && a is long or bool: return Repeat(b, Values.Long(a), budget);
            case "%" when a is string format: return TextFormat.Percent(format, b is Row row ? row : [b], b as Map, budget);
        }
        if (!Values.IsNumber(a) || !Values.IsNumber(b))
            throw new ChatTemplateException($"'{name}' cannot be applied to {Values.Kind(a)} and {Values.Kind(b)}");
        try
        {
            return a is double || b is double || name == "/" ? OfFloats(name, Values.Double(a), Values.Double(b))
                : OfIntegers(name, Values.Long(a), Values.Long(b));
        }
        catch (Exception e) when (e is DivideByZeroException or OverflowException)
        {
            throw new ChatTemplateException($"'{name}' of {a} and {b} has no result");
        }
    }

    public static object Negate(object? value) => value switch
    {
        // A cast, or the other arm would become a double as well.
        double d => (object)-d,
        long.MinValue => throw new ChatTemplateException("a number is too large"),
        long or bool => -Values.Long(value),
        _ => throw new ChatTemplateException($"{Values.Kind(value)} has no negative"),
    };

    /// <summary>Python's <c>round</c>: to the nearest, and at exactly half way to the even digit.</summary>
    public static double Round(double value, int places)
    {
        if (!double.IsFinite(value) || places > 400 || value == 0) return value;
        if (places < -400) return 0;
        // In whole numbers, because a product by a power of ten is rounded itself.
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = (BigInteger)(bits & 0xFFFFFFFFFFFFF) + (exponent > 0 ? BigInteger.One << 52 : 0);
        var shift = Math.Max(exponent, 1) - 1075;
        var (above, below) = (mantissa, BigInteger.One);
        if (shift > 0) above <<= shift;
        else below <<= -shift;
        if (places > 0) above *= BigInteger.Pow(10, places);
        else below *= BigInteger.Pow(10, -places);
        var whole = BigInteger.DivRem(above, below, out var rest);
        var half = (rest * 2).CompareTo(below);
        if (half > 0 || (half == 0 && !whole.IsEven)) whole += 1;
        var text = $"{(value < 0 ? "-" : "")}{whole}E{-places}";
        return double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static object OfIntegers(string name, long a, long b) => checked(name switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        // Towards minus infinity, as Python divides.
        "//" => a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0),
        "%" => b == -1 ? 0 : a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0),
        "**" => b >= 0 ? (object)Power(a, b) : a == 0 ? throw new DivideByZeroException() : Math.Pow(a, b),
        _ => throw new ChatTemplateException($"the operator '{name}' is unknown"),
    });

    private static double OfFloats(string name, double a, double b) => name switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => b == 0 ? throw new DivideByZeroException() : a / b,
        "//" => b == 0 ? throw new DivideByZeroException() : Math.Floor(a / b),
        "%" => b == 0 ? throw new DivideByZeroException() : a - b * Math.Floor(a / b),
        "**" => Math.Pow(a, b),
        _ => throw new ChatTemplateException($"the operator '{name}' is unknown"),
    };

    private static long Power(long a, long b)
    {
        if (b == 0 || a == 1) return 1;
        if (a is 0 or -1) return a == 0 ? 0 : b % 2 == 0 ? 1 : -1;
        if (b > 64) throw new OverflowException();
        var power = BigInteger.Pow(a, (int)b);
        return power >= long.MinValue && power <= long.MaxValue ? (long)power : throw new OverflowException();
    }

    private static object Repeat(object? value, long times, Budget budget)
    {
        var size = value is string t ? t.Length : ((List<object?>)value!).Count * 4L;
        times = Math.Max(0, times);
        budget.Spend((long)Int128.Min(size * (Int128)times, long.MaxValue / 2));
        // A budget bounds what is not empty; nothing repeated is nothing.
        if (size == 0) times = 0;
        if (value is string text) return string.Concat(Enumerable.Repeat(text, (int)times));
        var items = Enumerable.Repeat((List<object?>)value!, (int)times).SelectMany(i => i);
        return value is Row ? new Row(items) : items.ToList();
    }
}
