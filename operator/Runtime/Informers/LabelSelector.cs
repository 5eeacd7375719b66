using System.Text.RegularExpressions;

namespace Graft.Runtime;

/// <summary>
/// A label selector as the API writes it (`app=x,tier in (a, b),!debug`), to be answered in this process. Only what is well formed is
/// accepted; the server has the last word on what a selector may say.
/// </summary>
public sealed partial class LabelSelector
{
    private readonly IReadOnlyList<Func<IDictionary<string, string>, bool>> _requirements;

    private LabelSelector(IReadOnlyList<Func<IDictionary<string, string>, bool>> requirements) => _requirements = requirements;

    /// <exception cref="FormatException">The text is no selector; the message names the part.</exception>
    public static LabelSelector Parse(string text) => new([.. Parts().Split(text).Select(p => p.Trim()).Where(p => p.Length > 0).Select(Requirement)]);

    public bool Matches(IDictionary<string, string>? labels) => _requirements.All(r => r(labels ?? new Dictionary<string, string>()));

    private static Func<IDictionary<string, string>, bool> Requirement(string part)
    {
        var match = Form().Match(part);
        if (!match.Success)
            throw new FormatException($"'{part}' is no label requirement; write it like key=value, key!=value, key in (a, b), key or !key.");
        var key = match.Groups["key"].Value;
        var values = match.Groups["value"].Success
            ? [match.Groups["value"].Value]
            : match.Groups["set"].Value.Split(',').Select(v => v.Trim()).ToHashSet(StringComparer.Ordinal);
        bool Has(IDictionary<string, string> labels) => labels.TryGetValue(key, out var value) && values.Contains(value);
        return (match.Groups["op"].Value, match.Groups["not"].Success) switch
        {
            ("", false) => labels => labels.ContainsKey(key),
            ("", true) => labels => !labels.ContainsKey(key),
            ("=" or "==" or "in", false) => Has,
            ("!=" or "notin", false) => labels => !Has(labels),
            _ => throw new FormatException($"'{part}' both negates and compares."),
        };
    }

    // Commas between requirements, not those within parentheses.
    [GeneratedRegex(@",(?![^(]*\))", RegexOptions.CultureInvariant)]
    private static partial Regex Parts();

    [GeneratedRegex(
        @"^(?<not>!)?\s*(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)\s*(?:(?<op>==|=|!=)\s*(?<value>[-A-Za-z0-9_.]*)|(?<op>in|notin)\s*\((?<set>[^()]*)\))?\s*\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
