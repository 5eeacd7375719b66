using System.Text;
using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// Regular expressions as schemas and CEL write them (RE2): linear time, no look-around, no back-references, ASCII classes, and
/// <c>$</c> as the end of the text.
/// </summary>
internal static class GoRegex
{
    private static readonly Dictionary<string, string> PosixClasses = new()
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = @"\x00-\x7F",
        ["blank"] = @"\t ",
        ["cntrl"] = @"\x00-\x1F\x7F",
        ["digit"] = "0-9",
        ["graph"] = "!-~",
        ["lower"] = "a-z",
        ["print"] = " -~",
        ["punct"] = @"!-/:-@\[-`{-~",
        ["space"] = @"\t\n\v\f\r ",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>Compiles a pattern.</summary>
    /// <param name="pattern">The pattern in RE2's syntax.</param>
    /// <param name="error">Why it does not compile, or null.</param>
    public static Regex? TryCompile(string pattern, out string? error)
    {
        try
        {
            error = null;
            return new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = $"error parsing regexp: {e.Message}";
            return null;
        }
    }

    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                i = Escape(pattern, i, inClass, text);
            }
            else if (inClass)
            {
                if (c == '[' && ClassName(pattern, i) is { } name)
                {
                    text.Append(PosixClasses[name]);
                    i += name.Length + 3;
                }
                else
                {
                    inClass = c != ']';
                    text.Append(c == '[' ? "\\[" : c.ToString());
                }
            }
            else if (c == '[')
            {
                inClass = true;
                text.Append(c);
                if (i + 1 < pattern.Length && pattern[i + 1] == '^')
                {
                    text.Append(pattern[++i]);
                }
                if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                {
                    // A bracket that comes first stands for itself.
                    text.Append("\\]");
                    i++;
                }
            }
            else if (c == '$')
            {
                text.Append("\\z");
            }
            else if (c == '(' && string.CompareOrdinal(pattern, i, "(?P<", 0, 4) == 0)
            {
                text.Append("(?<");
                i += 3;
            }
            else
            {
                text.Append(c);
            }
        }
        return text.ToString();
    }

    /// <summary>Translates the escape at <paramref name="i"/> and returns the index of its last character.</summary>
    private static int Escape(string pattern, int i, bool inClass, StringBuilder text)
    {
        var c = pattern[i + 1];
        var ascii = c switch
        {
            'd' or 'D' => "0-9",
            'w' or 'W' => "0-9A-Za-z_",
            's' or 'S' => @"\t\n\f\r ",
            _ => null,
        };
        if (ascii is not null && (char.IsLower(c) || !inClass))
        {
            text.Append(inClass ? ascii : $"[{(char.IsUpper(c) ? "^" : "")}{ascii}]");
            return i + 1;
        }
        if (c is 'p' or 'P' && i + 2 < pattern.Length && pattern[i + 2] != '{')
        {
            text.Append('\\').Append(c).Append('{').Append(pattern[i + 2]).Append('}');
            return i + 2;
        }
        if (c == 'Q')
        {
            var end = pattern.IndexOf("\\E", i, StringComparison.Ordinal);
            var literal = end < 0 ? pattern[(i + 2)..] : pattern[(i + 2)..end];
            text.Append(Regex.Escape(literal));
            return end < 0 ? pattern.Length - 1 : end + 1;
        }
        if (char.IsBetween(c, '1', '9') || c is 'Z' or 'G')
        {
            throw new ArgumentException($"invalid escape sequence: `\\{c}`");
        }
        text.Append('\\').Append(c);
        return i + 1;
    }

    private static string? ClassName(string pattern, int i)
    {
        if (i + 1 >= pattern.Length || pattern[i + 1] != ':')
        {
            return null;
        }
        var end = pattern.IndexOf(":]", i + 2, StringComparison.Ordinal);
        return end > 0 && PosixClasses.ContainsKey(pattern[(i + 2)..end]) ? pattern[(i + 2)..end] : null;
    }
}
