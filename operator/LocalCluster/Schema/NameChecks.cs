using System.Globalization;
using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Schema;

/// <summary>The rules for names, label keys and label values; each check returns what is wrong, in the API server's words.</summary>
internal static partial class NameChecks
{
    private const string LabelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string SubdomainPattern = LabelPattern + @"(\." + LabelPattern + ")*";
    private const string Label1035Pattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
    private const string QualifiedPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private const string ValuePattern = "(" + QualifiedPattern + ")?";

    private const string SubdomainText =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'example.com', regex used for validation is '" + SubdomainPattern + "')";

    private const string LabelText =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '" + LabelPattern + "')";

    private const string Label1035Text =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
        + "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '" + Label1035Pattern + "')";

    private const string QualifiedText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '" + QualifiedPattern + "')";

    private const string ValueText =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '" + ValuePattern + "')";

    /// <summary>Checks a name, or the beginning of one (generateName) where a hyphen may stand last.</summary>
    public static IEnumerable<string> Name(string name, NameRule rule, bool isPrefix)
    {
        // What is appended to a prefix begins with a letter or digit, so a hyphen before it is as good as a letter.
        var shown = isPrefix && name.EndsWith('-') && name.Length > 1 ? name[..^1] + "a" : name;
        return rule switch
        {
            NameRule.Label => Check(shown, 63, Label(), LabelText),
            NameRule.Label1035 => Check(shown, 63, Label1035(), Label1035Text),
            NameRule.PathSegment => PathSegment(shown, isPrefix),
            _ => Check(shown, 253, Subdomain(), SubdomainText),
        };
    }

    /// <summary>Checks the key of a label or annotation, or a finalizer: an optional DNS prefix, a slash, a name.</summary>
    public static IEnumerable<string> QualifiedName(string key)
    {
        var parts = key.Split('/');
        if (parts.Length > 2)
        {
            yield return "a qualified name " + QualifiedText + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            yield break;
        }
        if (parts.Length == 2)
        {
            foreach (var error in parts[0].Length == 0 ? ["must be non-empty"] : Check(parts[0], 253, Subdomain(), SubdomainText))
            {
                yield return "prefix part " + error;
            }
        }
        if (parts[^1].Length == 0)
        {
            yield return "name part must be non-empty";
        }
        foreach (var error in Check(parts[^1], 63, Qualified(), QualifiedText))
        {
            yield return "name part " + error;
        }
    }

    public static IEnumerable<string> LabelValue(string value) => Check(value, 63, Value(), ValueText);

    private static IEnumerable<string> PathSegment(string name, bool isPrefix)
    {
        if (!isPrefix && name is "." or "..")
        {
            yield return $"may not be '{name}'";
        }
        foreach (var forbidden in new[] { "/", "%" })
        {
            if (name.Contains(forbidden, StringComparison.Ordinal))
            {
                yield return $"may not contain '{forbidden}'";
            }
        }
    }

    private static IEnumerable<string> Check(string text, int maxLength, Regex pattern, string message)
    {
        if (text.Length > maxLength)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"must be no more than {maxLength} bytes");
        }
        if (!pattern.IsMatch(text))
        {
            yield return message;
        }
    }

    [GeneratedRegex("^" + LabelPattern + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex("^" + SubdomainPattern + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();

    [GeneratedRegex("^" + Label1035Pattern + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label1035();

    [GeneratedRegex("^" + QualifiedPattern + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex Qualified();

    [GeneratedRegex("^" + ValuePattern + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex Value();
}
