namespace Graft.Modeling.Chat;

/// <summary>Jinja's tests: what may stand after <c>is</c>.</summary>
internal static class Tests
{
    private delegate bool Test(object? value, object? argument, Budget budget);

    private static readonly Dictionary<string, Test> Plain = new(StringComparer.Ordinal)
    {
        ["defined"] = (v, _, _) => v is not Undefined,
        ["undefined"] = (v, _, _) => v is Undefined,
        ["none"] = (v, _, _) => v is null,
        ["string"] = (v, _, _) => v is string,
        ["number"] = (v, _, _) => Values.IsNumber(v),
        ["integer"] = (v, _, _) => v is long,
        ["float"] = (v, _, _) => v is double,
        ["boolean"] = (v, _, _) => v is bool,
        ["true"] = (v, _, _) => v is true,
        ["false"] = (v, _, _) => v is false,
        ["mapping"] = (v, _, _) => v is Map,
        ["sequence"] = (v, _, _) => v is string or List<object?> or Map or Undefined,
        ["iterable"] = (v, _, _) => v is string or List<object?> or Map or Undefined or LoopValue,
        ["callable"] = (v, _, _) => v is Callable or Undefined,
        ["even"] = (v, _, b) => Values.Same(Arithmetic.Apply("%", v, 2L, b), 0L, b),
        ["odd"] = (v, _, b) => Values.Same(Arithmetic.Apply("%", v, 2L, b), 1L, b),
        ["lower"] = (v, _, b) => TextMethods.IsLower(Printing.Text(v, b)),
        ["upper"] = (v, _, b) => TextMethods.IsUpper(Printing.Text(v, b)),
        ["escaped"] = (_, _, _) => false,
        ["filter"] = (v, _, _) => v is string name && Filters.Known(name),
        ["test"] = (v, _, _) => v is string name && Known(name),
    };

    private static readonly Dictionary<string, Test> WithArgument = Compared(
        (["eq", "equalto", "=="], Values.Same),
        (["ne", "!="], (v, a, b) => !Values.Same(v, a, b)),
        (["lt", "lessthan", "<"], (v, a, b) => Values.Compare(v, a, b) < 0),
        (["le", "<="], (v, a, b) => Values.Compare(v, a, b) <= 0),
        (["gt", "greaterthan", ">"], (v, a, b) => Values.Compare(v, a, b) > 0),
        (["ge", ">="], (v, a, b) => Values.Compare(v, a, b) >= 0),
        (["in"], (v, a, b) => Values.Contains(a, v, b)),
        (["divisibleby"], (v, a, b) => Values.Same(Arithmetic.Apply("%", v, a, b), 0L, b)),
        (["sameas"], (v, a, _) => v is null or bool or long or string ? Equals(v, a) : ReferenceEquals(v, a)));

    public static bool Known(string name) => Plain.ContainsKey(name) || WithArgument.ContainsKey(name);

    public static bool TakesArgument(string name) => WithArgument.ContainsKey(name);

    public static bool Apply(string name, object? value, IReadOnlyList<object?> arguments, Budget budget)
    {
        budget.Step();
        if (Plain.TryGetValue(name, out var test))
            return arguments.Count == 0 ? test(value, null, budget)
                : throw new ChatTemplateException($"the test '{name}' takes no argument");
        if (arguments.Count != 1) throw new ChatTemplateException($"the test '{name}' takes one argument");
        return WithArgument[name](value, arguments[0], budget);
    }

    private static Dictionary<string, Test> Compared(params (string[] Names, Test Holds)[] tests) =>
        tests.SelectMany(t => t.Names.Select(n => (n, t.Holds))).ToDictionary(t => t.n, t => t.Holds, StringComparer.Ordinal);
}
