namespace Graft.Modeling.Chat;

/// <summary>The methods of Python's texts.</summary>
internal static class TextMethods
{
    private delegate object? Method(string text, CallArguments arguments);

    private static readonly Dictionary<string, Method> Table = new(StringComparer.Ordinal)
    {
        ["strip"] = (t, a) => PythonText.Strip(t, a.OptionalText(0, "chars")),
        ["lstrip"] = (t, a) => PythonText.Strip(t, a.OptionalText(0, "chars"), right: false),
        ["rstrip"] = (t, a) => PythonText.Strip(t, a.OptionalText(0, "chars"), left: false),
        ["upper"] = (t, _) => t.ToUpperInvariant(),
        ["lower"] = (t, _) => t.ToLowerInvariant(),
        ["casefold"] = (t, _) => t.ToLowerInvariant(),
        ["swapcase"] = (t, _) => string.Concat(t.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c))),
        ["title"] = (t, _) => PythonText.Title(t),
        ["capitalize"] = (t, _) => PythonText.Capitalize(t),
        ["startswith"] = (t, a) => Any(a, p => Part(t, a).StartsWith(p, StringComparison.Ordinal)),
        ["endswith"] = (t, a) => Any(a, p => Part(t, a).EndsWith(p, StringComparison.Ordinal)),
        ["split"] = (t, a) => Split(t, a, fromRight: false),
        ["rsplit"] = (t, a) => Split(t, a, fromRight: true),
        ["splitlines"] = (t, a) => a.Budget.Made(PythonText.Lines(t, Values.IsTrue(a.Get(0, "keepends", false)))),
        ["partition"] = (t, a) => Partition(t, a.Text(0), Find(t, a.Text(0), a.Budget, last: false), missingFirst: true),
        ["rpartition"] = (t, a) => Partition(t, a.Text(0), Find(t, a.Text(0), a.Budget, last: true), missingFirst: false),
        ["replace"] = (t, a) => PythonText.Replace(t, Searched(t, a, 0, "old"), Bounded(t, a), Values.Count(a.Get(2, "count", -1L))),
        ["join"] = (t, a) => Join(t, Values.Items(a.Get(0, "iterable"), a.Budget), a.Budget),
        ["find"] = (t, a) => IndexOf(t, a, last: false),
        ["rfind"] = (t, a) => IndexOf(t, a, last: true),
        ["index"] = (t, a) => IndexOf(t, a, last: false) is var i and >= 0 ? i : throw NotFound(),
        ["rindex"] = (t, a) => IndexOf(t, a, last: true) is var i and >= 0 ? i : throw NotFound(),
        ["count"] = (t, a) => Count(Part(t, a), Searched(t, a, 0, "sub")),
        ["removeprefix"] = (t, a) => a.Text(0) is var p && t.StartsWith(p, StringComparison.Ordinal) ? t[p.Length..] : t,
        ["removesuffix"] = (t, a) => a.Text(0) is var p && t.EndsWith(p, StringComparison.Ordinal) ? t[..^p.Length] : t,
        ["ljust"] = (t, a) => Pad(t, a, left: false, right: true),
        ["rjust"] = (t, a) => Pad(t, a, left: true, right: false),
        ["center"] = (t, a) => Pad(t, a, left: true, right: true),
        ["zfill"] = (t, a) => ZeroFill(t, Width(a)),
        ["expandtabs"] = (t, a) => t.Contains('\t', StringComparison.Ordinal)
            ? throw new ChatTemplateException("expandtabs is not supported") : t,
        ["format"] = (t, a) => TextFormat.Braces(t, a.Plain, a.Named, a.Budget),
        ["isdigit"] = (t, _) => t.Length > 0 && t.All(char.IsDigit),
        ["isdecimal"] = (t, _) => t.Length > 0 && t.All(char.IsDigit),
        ["isnumeric"] = (t, _) => t.Length > 0 && t.All(char.IsNumber),
        ["isalpha"] = (t, _) => t.Length > 0 && t.All(char.IsLetter),
        ["isalnum"] = (t, _) => t.Length > 0 && t.All(c => char.IsLetter(c) || char.IsNumber(c)),
        ["isascii"] = (t, _) => t.All(char.IsAscii),
        ["isspace"] = (t, _) => t.Length > 0 && t.All(PythonText.IsBlank),
        ["isupper"] = (t, _) => IsUpper(t),
        ["islower"] = (t, _) => IsLower(t),
        ["istitle"] = (t, _) => t.Any(char.IsLetter) && PythonText.Title(t) == t,
    };

    /// <summary>The method, bound to its text; null when texts have none of that name.</summary>
    public static Callable? Find(string text, string name, Budget budget)
    {
        if (!Table.TryGetValue(name, out var method)) return null;
        return (plain, named) =>
        {
            budget.Spend(text.Length);
            var result = method(text, new CallArguments(plain, named, budget));
            if (result is string made) budget.Spend(made.Length);
            return result;
        };
    }

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    public static string Join(string separator, List<object?> items, Budget budget)
    {
        foreach (var item in items)
        {
            if (item is not string text) throw new ChatTemplateException($"join needs texts, not {Values.Kind(item)}");
            budget.Spend(separator.Length + text.Length);
        }
        return string.Join(separator, items);
    }

    /// <summary>Checks what a replacement would make before it is made.</summary>
    public static string Bounded(string text, string old, string with, int most, Budget budget)
    {
        budget.Search(text.Length, old.Length);
        if (with.Length > old.Length)
            budget.Spend((long)(with.Length - old.Length) * Math.Min(most < 0 ? int.MaxValue : most, old.Length == 0 ? text.Length + 1
                : text.AsSpan().Count(old)));
        return with;
    }

    private static string Bounded(string text, CallArguments a) =>
        Bounded(text, a.Text(0, "old"), a.Text(1, "new"), Values.Count(a.Get(2, "count", -1L)), a.Budget);

    private static string Searched(string text, CallArguments a, int place, string name)
    {
        var wanted = a.Text(place, name);
        a.Budget.Search(text.Length, wanted.Length);
        return wanted;
    }

    private static ChatTemplateException NotFound() => new("the text does not contain what was looked for");

    private static int Find(string text, string wanted, Budget budget, bool last)
    {
        if (wanted.Length == 0) throw new ChatTemplateException("partition needs a separator that is not empty");
        budget.Search(text.Length, wanted.Length);
        return last ? text.LastIndexOf(wanted, StringComparison.Ordinal) : text.IndexOf(wanted, StringComparison.Ordinal);
    }

    private static Row Partition(string text, string separator, int at, bool missingFirst) =>
        at >= 0 ? new Row([text[..at], separator, text[(at + separator.Length)..]]) : missingFirst ? new Row([text, "", ""])
            : new Row(["", "", text]);

    /// <summary>The part that the arguments <c>start</c> and <c>end</c> leave.</summary>
    private static string Part(string text, CallArguments a)
    {
        if (a.Plain.Count < 2) return text;
        var length = PythonText.Length(text);
        int Place(object? bound, int otherwise) => bound is null ? otherwise : Values.Count(bound) is var at && at < 0
            ? Math.Max(0, at + length) : Math.Min(at, length);
        var (start, end) = (Place(a.Plain[1], 0), Place(a.Get(2, "end"), length));
        return start >= end ? "" : text[PythonText.UnitOf(text, start)..PythonText.UnitOf(text, end)];
    }

    private static long IndexOf(string text, CallArguments a, bool last)
    {
        var part = Part(text, a);
        var wanted = Searched(part, a, 0, "sub");
        var at = last ? part.LastIndexOf(wanted, StringComparison.Ordinal) : part.IndexOf(wanted, StringComparison.Ordinal);
        if (at < 0) return -1;
        var before = a.Plain.Count < 2 || a.Plain[1] is null ? 0 : Values.Count(a.Plain[1]);
        return PythonText.Length(part, at) + (before < 0 ? Math.Max(0, before + PythonText.Length(text)) : before);
    }

    private static long Count(string text, string wanted) => wanted.Length == 0 ? PythonText.Length(text) + 1 : text.AsSpan().Count(wanted);

    private static List<object?> Split(string text, CallArguments a, bool fromRight)
    {
        var separator = a.OptionalText(0, "sep");
        a.Budget.Search(text.Length, separator?.Length ?? 1);
        return a.Budget.Made(PythonText.Split(text, separator, Values.Count(a.Get(1, "maxsplit", -1L)), fromRight));
    }

    private static int Width(CallArguments a)
    {
        var width = Values.Count(a.Get(0, "width"));
        a.Budget.Spend(Math.Max(0, width));
        return width;
    }

    private static string Pad(string text, CallArguments a, bool left, bool right) =>
        Pad(text, Width(a), a.Get(1, "fillchar", " ") as string ?? " ", left, right);

    public static string Pad(string text, int width, string with, bool left, bool right)
    {
        var missing = width - PythonText.Length(text);
        if (missing <= 0 || with.Length == 0) return text;
        // Python puts the odd blank of a centred text to the right, or to the left where the width is odd.
        var before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
        return string.Concat(Enumerable.Repeat(with, before)) + text + string.Concat(Enumerable.Repeat(with, missing - before));
    }

    private static string ZeroFill(string text, int width)
    {
        var sign = text.Length > 0 && text[0] is '-' or '+' ? 1 : 0;
        return text[..sign] + text[sign..].PadLeft(Math.Max(0, width - sign), '0');
    }

    private static bool Any(CallArguments a, Func<string, bool> holds) =>
        a.Get(0, "prefix") is Row several ? several.Any(p => holds(p as string ?? throw new ChatTemplateException("a text is needed")))
            : holds(a.Text(0));
}

/// <summary>Arguments of a call by place or by name, and what the call may spend.</summary>
internal readonly record struct CallArguments(IReadOnlyList<object?> Plain, IReadOnlyDictionary<string, object?> Named, Budget Budget)
{
    public object? Get(int place, string name, object? otherwise = null) =>
        place < Plain.Count ? Plain[place] : Named.TryGetValue(name, out var value) ? value : otherwise;

    public string Text(int place, string name = "") =>
        Get(place, name) as string
            ?? throw new ChatTemplateException($"argument {place + 1} must be a text, not {Values.Kind(Get(place, name))}");

    public string? OptionalText(int place, string name) => Get(place, name) is null ? null : Text(place, name);

    public bool Flag(int place, string name) => Values.IsTrue(Get(place, name, false));
}
