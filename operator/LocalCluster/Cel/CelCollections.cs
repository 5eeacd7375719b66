namespace Graft.LocalCluster.Cel;

/// <summary>The functions on lists and maps, and on what may be absent.</summary>
internal static class CelCollections
{
    public static IEnumerable<CelFunction> All() => Sizes().Concat(Members()).Concat(Folds()).Concat(Optionals());

    private static IEnumerable<CelFunction> Sizes()
    {
        foreach (var kind in new[] { CelKind.String, CelKind.Bytes, CelKind.List, CelKind.Map })
        {
            yield return new("size", false, [kind], _ => CelType.Int, a => CelValues.Size(a[0]));
            yield return new("size", true, [kind], _ => CelType.Int, a => CelValues.Size(a[0]));
        }
    }

    private static IEnumerable<CelFunction> Members()
    {
        yield return new("@in", false, [CelKind.Dyn, CelKind.List], _ => CelType.Bool, a =>
            ((CelList)a[1]!).Items.Any(item => CelValues.Same(item, a[0])));
        yield return new("@in", false, [CelKind.Dyn, CelKind.Map], _ => CelType.Bool, a => ((CelMap)a[1]!).TryGet(a[0], out _));
        yield return new("_[_]", false, [CelKind.List, CelKind.Int], Element, a => At((CelList)a[0]!, (long)a[1]!));
        yield return new("_[_]", false, [CelKind.List, CelKind.Uint], Element, a => At((CelList)a[0]!, checked((long)(ulong)a[1]!)));
        yield return new("_[_]", false, [CelKind.List, CelKind.Double], Element, a => (double)a[1]! is var index && Math.Floor(index) == index
            ? At((CelList)a[0]!, checked((long)index))
            : throw new CelEvaluationException($"unsupported index value: {index}"));
        yield return new("_[_]", false, [CelKind.Map, CelKind.Dyn], Element, a =>
            ((CelMap)a[0]!).TryGet(a[1], out var value) ? value : throw new CelEvaluationException($"no such key: {a[1]}"));
        yield return new("_+_", false, [CelKind.List, CelKind.List], a => a[0] with { MaxSize = a[0].MaxSize + a[1].MaxSize }, a =>
            Sum((CelList)a[0]!, (CelList)a[1]!));
        yield return new("indexOf", true, [CelKind.List, CelKind.Dyn], _ => CelType.Int, a =>
            (long)((CelList)a[0]!).Items.ToList().FindIndex(item => CelValues.Same(item, a[1])));
    }

    private static IEnumerable<CelFunction> Folds()
    {
        yield return new("isSorted", true, [CelKind.List], _ => CelType.Bool, a =>
        {
            var items = ((CelList)a[0]!).Items;
            return items.Zip(items.Skip(1)).All(pair => CelValues.Compare(pair.First, pair.Second) <= 0);
        });
        yield return new("min", true, [CelKind.List], Element, a => Extreme((CelList)a[0]!, "min", -1));
        yield return new("max", true, [CelKind.List], Element, a => Extreme((CelList)a[0]!, "max", 1));
        yield return new("sum", true, [CelKind.List], Element, a => ((CelList)a[0]!).Items.Aggregate((object?)null, Add) ?? 0L);
    }

    private static IEnumerable<CelFunction> Optionals()
    {
        yield return new("hasValue", true, [CelKind.Optional], _ => CelType.Bool, a => ((CelOptional)a[0]!).HasValue);
        yield return new("value", true, [CelKind.Optional], Element, a => a[0] is CelOptional { HasValue: true } o
            ? o.Value
            : throw new CelEvaluationException("optional.none() dereference"));
        yield return new("orValue", true, [CelKind.Optional, CelKind.Dyn], Element, a => a[0] is CelOptional { HasValue: true } o ? o.Value : a[1]);
    }

    private static CelType Element(IReadOnlyList<CelType> arguments) => arguments[0].Element ?? CelType.Dyn;

    private static object? At(CelList list, long index) => index >= 0 && index < list.Items.Count
        ? list.Items[(int)index]
        : throw new CelEvaluationException($"index out of bounds: {index}");

    /// <summary>Lists of type set join as sets, of type map by key, the right side winning; all others one after the other.</summary>
    private static CelList Sum(CelList a, CelList b)
    {
        switch (a.Schema?.ListType)
        {
            case "set":
                return a with { Items = [.. a.Items, .. b.Items.Where(item => !a.Items.Any(other => CelValues.Same(item, other)))] };
            case "map":
                var kept = a.Items.Select(item => CelValues.FindByKeys(b with { Schema = a.Schema }, item) ?? item);
                return a with { Items = [.. kept, .. b.Items.Where(item => CelValues.FindByKeys(a, item) is null)] };
            default:
                return new CelList([.. a.Items, .. b.Items]);
        }
    }

    private static object? Extreme(CelList list, string name, int sign)
    {
        if (list.Items.Count == 0)
        {
            throw new CelEvaluationException($"{name} called on empty list");
        }
        return list.Items.Aggregate((best, item) => CelValues.Compare(item, best) * sign > 0 ? item : best);
    }

    private static object? Add(object? sum, object? item) => (sum, item) switch
    {
        (null, _) => item,
        (long a, long b) => checked(a + b),
        (ulong a, ulong b) => checked(a + b),
        (double a, double b) => a + b,
        (TimeSpan a, TimeSpan b) => a + b,
        _ => throw new CelEvaluationException("no such overload"),
    };
}
