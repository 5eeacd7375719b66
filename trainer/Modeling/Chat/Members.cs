namespace Graft.Modeling.Chat;

/// <summary>Attributes, methods, items and slices of values. Only what is listed here can be reached.</summary>
internal static class Members
{
    private delegate object? TextMethod(string text, IReadOnlyList<object?> arguments);

    private static readonly Dictionary<string, TextMethod> TextMethods = new(StringComparer.Ordinal)
    {
        ["strip"] = (t, a) => Strip(t, a, true, true),
        ["lstrip"] = (t, a) => Strip(t, a, true, false),
        ["rstrip"] = (t, a) => Strip(t, a, false, true),
        ["upper"] = (t, _) => t.ToUpperInvariant(),
        ["lower"] = (t, _) => t.ToLowerInvariant(),
        ["title"] = (t, _) => Title(t),
        ["capitalize"] = (t, _) => Capitalize(t),
        ["startswith"] = (t, a) => Any(a, p => t.StartsWith(p, StringComparison.Ordinal)),
        ["endswith"] = (t, a) => Any(a, p => t.EndsWith(p, StringComparison.Ordinal)),
        ["split"] = (t, a) => Split(t, a, fromRight: false),
        ["rsplit"] = (t, a) => Split(t, a, fromRight: true),
        ["splitlines"] = (t, _) => t.Length == 0 ? new List<object?>() : (t.EndsWith('\n') ? t[..^1] : t).Split('\n').Cast<object?>().ToList(),
        ["replace"] = (t, a) => Replace(t, Text(a, 0), Text(a, 1), a.Count > 2 ? (int)Values.Long(a[2]) : -1),
        ["join"] = (t, a) => string.Join(t, Values.Items(a[0]).Select(Values.Text)),
        ["find"] = (t, a) => (long)t.IndexOf(Text(a, 0), StringComparison.Ordinal),
        ["count"] = (t, a) => (long)(Text(a, 0).Length == 0 ? t.Length + 1 : t.Split(Text(a, 0)).Length - 1),
        ["removeprefix"] = (t, a) => t.StartsWith(Text(a, 0), StringComparison.Ordinal) ? t[Text(a, 0).Length..] : t,
        ["removesuffix"] = (t, a) => t.EndsWith(Text(a, 0), StringComparison.Ordinal) ? t[..^Text(a, 0).Length] : t,
        ["isdigit"] = (t, _) => t.Length > 0 && t.All(char.IsDigit),
        ["isalpha"] = (t, _) => t.Length > 0 && t.All(char.IsLetter),
        ["isspace"] = (t, _) => t.Length > 0 && t.All(char.IsWhiteSpace),
        ["isupper"] = (t, _) => t.Any(char.IsLetter) && !t.Any(char.IsLower),
        ["islower"] = (t, _) => t.Any(char.IsLetter) && !t.Any(char.IsUpper),
    };

    public static object? Attribute(object? value, string name) => value switch
    {
        Undefined u => throw new ChatTemplateException($"'{u.Name}' is undefined"),
        Namespace space => space.Values.TryGetValue(name, out var found) ? found : new Undefined(name),
        string text when TextMethods.TryGetValue(name, out var method) => new Callable((a, _) => method(text, a)),
        Map map => MapAttribute(map, name),
        List<object?> list when name is "index" or "count" => new Callable((a, _) =>
            name == "count" ? (long)list.Count(v => Values.Same(v, a[0])) : (long)list.FindIndex(v => Values.Same(v, a[0]))),
        _ => new Undefined(name),
    };

    public static object? Item(object? value, object? key)
    {
        switch (value)
        {
            case Undefined u: throw new ChatTemplateException($"'{u.Name}' is undefined");
            case Map map when key is not null && map.TryGetValue(key, out var found): return found;
            case Map: return new Undefined(Values.Text(key));
            case List<object?> or string when key is long or bool:
                var index = Values.Long(key);
                var items = value is string text ? [.. Values.Runes(text)] : (List<object?>)value;
                if (index < 0) index += items.Count;
                return index >= 0 && index < items.Count ? items[(int)index] : new Undefined(Values.Text(key));
            default: return key is string name ? Attribute(value, name) : new Undefined(Values.Text(key));
        }
    }

    public static object? Slice(object? value, object? from, object? to, object? stepValue)
    {
        if (value is Undefined u) throw new ChatTemplateException($"'{u.Name}' is undefined");
        if (value is not (string or List<object?>)) throw new ChatTemplateException($"{Values.Kind(value)} cannot be sliced");
        var items = Values.Items(value);
        var step = stepValue is null ? 1 : Values.Long(stepValue);
        if (step == 0) throw new ChatTemplateException("a slice's step is zero");
        long count = items.Count;
        long Bound(object? bound, long otherwise)
        {
            if (bound is null) return otherwise;
            var at = Values.Long(bound);
            if (at < 0) at += count;
            return step > 0 ? Math.Clamp(at, 0, count) : Math.Clamp(at, -1, count - 1);
        }
        var (start, end) = (Bound(from, step > 0 ? 0 : count - 1), Bound(to, step > 0 ? count : -1));
        var cut = new List<object?>();
        for (var i = start; step > 0 ? i < end : i > end; i += step) cut.Add(items[(int)i]);
        return value is string ? string.Concat(cut) : cut;
    }

    /// <summary>Python's <c>str.title</c>: an upper-case letter after anything that is no letter.</summary>
    public static string Title(string text)
    {
        var letters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < letters.Length; i++)
            if (i == 0 || !char.IsLetter(letters[i - 1])) letters[i] = char.ToUpperInvariant(letters[i]);
        return new string(letters);
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Replace(string text, string old, string with, int most = -1)
    {
        if (most < 0 && old.Length > 0) return text.Replace(old, with, StringComparison.Ordinal);
        if (old.Length == 0) throw new ChatTemplateException("replace needs a text to be replaced");
        for (int at = 0; most-- > 0 && (at = text.IndexOf(old, at, StringComparison.Ordinal)) >= 0; at += with.Length)
            text = text[..at] + with + text[(at + old.Length)..];
        return text;
    }

    private static object? MapAttribute(Map map, string name) => name switch
    {
        "items" => new Callable((_, _) => map.Select(p => (object?)new List<object?> { p.Key, p.Value }).ToList()),
        "keys" => new Callable((_, _) => map.Keys.Cast<object?>().ToList()),
        "values" => new Callable((_, _) => map.Values.ToList()),
        "get" => new Callable((a, _) => a[0] is { } key && map.TryGetValue(key, out var found) ? found : a.Count > 1 ? a[1] : null),
        _ => map.TryGetValue(name, out var value) ? value : new Undefined(name),
    };

    private static string Strip(string text, IReadOnlyList<object?> arguments, bool left, bool right)
    {
        var characters = arguments.Count > 0 && arguments[0] is string s ? s.ToCharArray() : null;
        if (left) text = text.TrimStart(characters);
        return right ? text.TrimEnd(characters) : text;
    }

    private static List<object?> Split(string text, IReadOnlyList<object?> arguments, bool fromRight)
    {
        var most = arguments.Count > 1 ? (int)Math.Min(Values.Long(arguments[1]), int.MaxValue - 1) : -1;
        if (arguments.Count == 0 || arguments[0] is null)
            return [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
        var separator = Text(arguments, 0);
        if (separator.Length == 0) throw new ChatTemplateException("split needs a separator that is not empty");
        if (!fromRight || most < 0) return [.. most < 0 ? text.Split(separator) : text.Split(separator, most + 1)];
        var parts = text.Split(separator);
        return parts.Length <= most + 1 ? [.. parts] : [string.Join(separator, parts[..^most]), .. parts[^most..]];
    }

    private static bool Any(IReadOnlyList<object?> arguments, Func<string, bool> holds) =>
        arguments.Count > 0 && arguments[0] is List<object?> several ? several.Select(Values.Text).Any(holds) : holds(Text(arguments, 0));

    private static string Text(IReadOnlyList<object?> arguments, int index) =>
        index < arguments.Count && arguments[index] is string text ? text : throw new ChatTemplateException("a method of a text lacks a text as argument");
}
