using System.Globalization;
using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>Label selectors in their query form: <c>a=b,c!=d,e in (f,g),h notin (i),j,!k</c>.</summary>
internal static partial class LabelRequirements
{
    public static IEnumerable<Func<IReadOnlyDictionary<string, string>, bool>> Parse(string text)
    {
        foreach (var part in SplitOutsideParentheses(text))
            yield return Requirement(part.Trim(), text);
    }

    private static Func<IReadOnlyDictionary<string, string>, bool> Requirement(string part, string whole)
    {
        if (SetForm().Match(part) is { Success: true } set)
        {
            var (key, values) = (set.Groups["key"].Value, set.Groups["values"].Value.Split(',').Select(value => value.Trim()).ToHashSet());
            return set.Groups["not"].Success
                ? labels => !labels.TryGetValue(key, out var value) || !values.Contains(value)
                : labels => labels.TryGetValue(key, out var value) && values.Contains(value);
        }
        if (ComparisonForm().Match(part) is { Success: true } comparison)
        {
            var (key, bound) = (comparison.Groups["key"].Value, long.Parse(comparison.Groups["bound"].Value, CultureInfo.InvariantCulture));
            var above = comparison.Groups["op"].Value == ">";
            return labels => labels.TryGetValue(key, out var text) && long.TryParse(text, CultureInfo.InvariantCulture, out var number)
                && (above ? number > bound : number < bound);
        }
        if (EqualityForm().Match(part) is { Success: true } equality)
        {
            var (key, wanted) = (equality.Groups["key"].Value, equality.Groups["value"].Value);
            return equality.Groups["op"].Value == "!="
                ? labels => !labels.TryGetValue(key, out var value) || value != wanted
                : labels => labels.TryGetValue(key, out var value) && value == wanted;
        }
        if (ExistsForm().Match(part) is { Success: true } exists)
        {
            var key = exists.Groups["key"].Value;
            return exists.Groups["not"].Success ? labels => !labels.ContainsKey(key) : labels => labels.ContainsKey(key);
        }
        throw ApiException.BadRequest($"unable to parse requirement: \"{part}\" in the label selector \"{whole}\"");
    }

    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        var (start, depth) = (0, 0);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                if (text[start..i].Trim().Length > 0)
                    yield return text[start..i];
                start = i + 1;
                continue;
            }
            depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        }
    }

    [GeneratedRegex(@"^(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)\s+(?<not>not)?in\s*\((?<values>[^()]*)\)$")]
    private static partial Regex SetForm();

    [GeneratedRegex(@"^(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)\s*(?<op>[<>])\s*(?<bound>-?[0-9]{1,18})$")]
    private static partial Regex ComparisonForm();

    [GeneratedRegex(@"^(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)\s*(?<op>==|=|!=)\s*(?<value>[-A-Za-z0-9_.]*)$")]
    private static partial Regex EqualityForm();

    [GeneratedRegex(@"^(?<not>!)?\s*(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)$")]
    private static partial Regex ExistsForm();
}
