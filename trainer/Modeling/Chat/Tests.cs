namespace Graft.Modeling.Chat;

/// <summary>Jinja's tests: what may stand after <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, (bool Argument, Func<object?, IReadOnlyList<object?>, bool> Holds)> Table = new(StringComparer.Ordinal)
    {
        ["defined"] = (false, (v, _) => v is not Undefined),
        ["undefined"] = (false, (v, _) => v is Undefined),
        ["none"] = (false, (v, _) => v is null),
        ["string"] = (false, (v, _) => v is string),
        ["number"] = (false, (v, _) => Values.IsNumber(v)),
        ["integer"] = (false, (v, _) => v is long),
        ["float"] = (false, (v, _) => v is double),
        ["boolean"] = (false, (v, _) => v is bool),
        ["true"] = (false, (v, _) => v is true),
        ["false"] = (false, (v, _) => v is false),
        ["mapping"] = (false, (v, _) => v is Map),
        ["sequence"] = (false, (v, _) => v is string or List<object?> or Map),
        ["iterable"] = (false, (v, _) => v is string or List<object?> or Map or Undefined),
        ["callable"] = (false, (v, _) => v is Callable),
        ["even"] = (false, (v, _) => Values.Long(v) % 2 == 0),
        ["odd"] = (false, (v, _) => Values.Long(v) % 2 != 0),
        ["lower"] = (false, (v, _) => Values.Text(v) is var t && t.Any(char.IsLetter) && !t.Any(char.IsUpper)),
        ["upper"] = (false, (v, _) => Values.Text(v) is var t && t.Any(char.IsLetter) && !t.Any(char.IsLower)),
        ["divisibleby"] = (true, (v, a) => Values.Long(a[0]) is var by and not 0 && Values.Long(v) % by == 0),
        ["equalto"] = (true, (v, a) => Values.Same(v, a[0])),
        ["eq"] = (true, (v, a) => Values.Same(v, a[0])),
        ["=="] = (true, (v, a) => Values.Same(v, a[0])),
        ["ne"] = (true, (v, a) => !Values.Same(v, a[0])),
        ["sameas"] = (true, (v, a) => v is null || v is bool ? Equals(v, a[0]) : ReferenceEquals(v, a[0])),
        ["in"] = (true, (v, a) => Values.Contains(a[0], v)),
        ["lt"] = (true, (v, a) => Values.Compare(v, a[0]) < 0),
        ["le"] = (true, (v, a) => Values.Compare(v, a[0]) <= 0),
        ["gt"] = (true, (v, a) => Values.Compare(v, a[0]) > 0),
        ["ge"] = (true, (v, a) => Values.Compare(v, a[0]) >= 0),
    };

    public static bool Known(string name) => Table.ContainsKey(name);

    public static bool TakesArgument(string name) => Table[name].Argument;

    public static bool Apply(string name, object? value, IReadOnlyList<object?> arguments)
    {
        var (argument, holds) = Table[name];
        if (argument && arguments.Count == 0) throw new ChatTemplateException($"the test '{name}' lacks its argument");
        return holds(value, arguments);
    }
}
