namespace Graft.Modeling.Chat;

/// <summary>Python's operators, as far as templates use them.</summary>
internal static class Arithmetic
{
    private const int LongestText = 1 << 20;

    public static object? Apply(string name, object? a, object? b)
    {
        switch (name)
        {
            case "~": return Values.Text(a) + Values.Text(b);
            case "+" when a is string x && b is string y: return x + y;
            case "+" when a is List<object?> x && b is List<object?> y: return x.Concat(y).ToList();
            case "*" when a is string text && b is long times: return Repeat(text, times);
            case "*" when a is long times && b is string text: return Repeat(text, times);
        }
        if (!Values.IsNumber(a) || !Values.IsNumber(b)) throw new ChatTemplateException($"'{name}' cannot be applied to {Values.Kind(a)} and {Values.Kind(b)}");
        try
        {
            return a is double || b is double || name == "/" ? OfFloats(name, Values.Double(a), Values.Double(b)) : OfIntegers(name, Values.Long(a), Values.Long(b));
        }
        catch (Exception e) when (e is DivideByZeroException or OverflowException)
        {
            throw new ChatTemplateException($"'{name}' of {a} and {b} has no result");
        }
    }

    private static object OfIntegers(string name, long a, long b) => checked(name switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        // Towards minus infinity, as Python divides.
        "//" => a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0),
        "%" => a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0),
        "**" => b >= 0 ? (object)Power(a, b) : Math.Pow(a, b),
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
        long result = 1;
        for (var i = 0L; i < b && result != 0; i++)
        {
            if (i > 64 && a is not (0 or 1 or -1)) throw new OverflowException();
            if (a is 0 or 1) return b == 0 ? 1 : a;
            if (a == -1) return b % 2 == 0 ? 1 : -1;
            result = checked(result * a);
        }
        return result;
    }

    private static string Repeat(string text, long times)
    {
        if (times <= 0) return "";
        if (text.Length * (Int128)times > LongestText) throw new ChatTemplateException($"a text repeated {times} times is too long");
        return string.Concat(Enumerable.Repeat(text, (int)times));
    }
}
