namespace Graft.LocalCluster.Cel;

/// <summary>The arithmetic and order of CEL's standard library; overflow and division by zero have no value.</summary>
internal static class CelArithmetic
{
    public static IEnumerable<CelFunction> All()
    {
        yield return Binary<long>("_+_", CelKind.Int, CelType.Int, (a, b) => checked(a + b));
        yield return Binary<long>("_-_", CelKind.Int, CelType.Int, (a, b) => checked(a - b));
        yield return Binary<long>("_*_", CelKind.Int, CelType.Int, (a, b) => checked(a * b));
        yield return Binary<long>("_/_", CelKind.Int, CelType.Int, (a, b) => b == 0 ? throw Fault("division by zero") : checked(a / b));
        yield return Binary<long>("_%_", CelKind.Int, CelType.Int, (a, b) => b switch
        {
            0 => throw Fault("modulus by zero"),
            -1 => 0,
            _ => a % b,
        });
        yield return Binary<ulong>("_+_", CelKind.Uint, CelType.Uint, (a, b) => checked(a + b));
        yield return Binary<ulong>("_-_", CelKind.Uint, CelType.Uint, (a, b) => checked(a - b));
        yield return Binary<ulong>("_*_", CelKind.Uint, CelType.Uint, (a, b) => checked(a * b));
        yield return Binary<ulong>("_/_", CelKind.Uint, CelType.Uint, (a, b) => b == 0 ? throw Fault("division by zero") : a / b);
        yield return Binary<ulong>("_%_", CelKind.Uint, CelType.Uint, (a, b) => b == 0 ? throw Fault("modulus by zero") : a % b);
        yield return Binary<double>("_+_", CelKind.Double, CelType.Double, (a, b) => a + b);
        yield return Binary<double>("_-_", CelKind.Double, CelType.Double, (a, b) => a - b);
        yield return Binary<double>("_*_", CelKind.Double, CelType.Double, (a, b) => a * b);
        yield return Binary<double>("_/_", CelKind.Double, CelType.Double, (a, b) => a / b);
        yield return Binary<TimeSpan>("_+_", CelKind.Duration, CelType.Duration, (a, b) => CelTime.Checked(a + b));
        yield return Binary<TimeSpan>("_-_", CelKind.Duration, CelType.Duration, (a, b) => CelTime.Checked(a - b));
        yield return new("_+_", false, [CelKind.Timestamp, CelKind.Duration], _ => CelType.Timestamp, a =>
            (DateTimeOffset)a[0]! + (TimeSpan)a[1]!);
        yield return new("_-_", false, [CelKind.Timestamp, CelKind.Duration], _ => CelType.Timestamp, a =>
            (DateTimeOffset)a[0]! - (TimeSpan)a[1]!);
        yield return new("_-_", false, [CelKind.Timestamp, CelKind.Timestamp], _ => CelType.Duration, a =>
            CelTime.Checked((DateTimeOffset)a[0]! - (DateTimeOffset)a[1]!));
        yield return new("-_", false, [CelKind.Int], _ => CelType.Int, a => checked(-(long)a[0]!));
        yield return new("-_", false, [CelKind.Double], _ => CelType.Double, a => -(double)a[0]!);
        yield return new("!_", false, [CelKind.Bool], _ => CelType.Bool, a => !(bool)a[0]!);
        foreach (var order in Orders())
        {
            yield return order;
        }
    }

    private static IEnumerable<CelFunction> Orders()
    {
        CelKind[] numbers = [CelKind.Int, CelKind.Uint, CelKind.Double];
        CelKind[] others = [CelKind.String, CelKind.Bool, CelKind.Bytes, CelKind.Timestamp, CelKind.Duration];
        var pairs = numbers.SelectMany(a => numbers.Select(b => (a, b))).Concat(others.Select(o => (o, o))).ToList();
        foreach (var (name, holds) in new (string, Func<int, bool>)[]
            { ("_<_", c => c < 0), ("_<=_", c => c <= 0), ("_>_", c => c > 0), ("_>=_", c => c >= 0) })
        {
            foreach (var (a, b) in pairs)
            {
                yield return new(name, false, [a, b], _ => CelType.Bool, v => CelValues.Compare(v[0], v[1]) is { } order && holds(order));
            }
        }
    }

    private static CelFunction Binary<T>(string name, CelKind kind, CelType result, Func<T, T, T> evaluate)
        where T : struct =>
        new(name, false, [kind, kind], _ => result, a => evaluate((T)a[0]!, (T)a[1]!));

    private static CelEvaluationException Fault(string message) => new(message);
}
