using System.Text.RegularExpressions;

namespace Graft.Contract;

/// <summary>
/// Regular expressions over the paths of modules (<see cref="LoraMethod.RankPattern"/>): what Python's <c>re</c>, with which PEFT reads
/// them back, and .NET understand alike, and what is matched in time linear in the path.
/// </summary>
public static class ModulePatterns
{
    /// <summary>Characters of one expression.</summary>
    public const int MaxLength = 256;

    /// <summary>Expressions of one method's pattern.</summary>
    public const int MaxCount = 64;

    /// <summary>What is wrong with an expression, as the end of a sentence that begins with it; null when nothing is.</summary>
    public static string? Problem(string pattern)
    {
        if (string.IsNullOrWhiteSpace(pattern)) return "must not be empty";
        if (pattern.Length > MaxLength) return $"has {pattern.Length} characters; must have at most {MaxLength}";
        if (Foreign(pattern) is { } part)
            return $"has '{part}', which Python does not read the same way; use literals, '.', [...], (...), (?:...), |, *, +, ?, {{n,m}}"
                + " and the escapes of d, w, s, b and of punctuation";
        try
        {
            // By itself too: "a)(b" is none, but between parentheses it is.
            _ = new Regex(pattern, RegexOptions.NonBacktracking);
            _ = Compile(pattern);
            return null;
        }
        catch (RegexParseException e)
        {
            return $"is no regular expression: {e.Error} at character {e.Offset + 1}";
        }
        catch (NotSupportedException)
        {
            return "needs more states than can be matched in linear time; use smaller repetitions";
        }
    }

    /// <summary>Matches a module's path when the expression matches all of it, or all that follows one of its dots.</summary>
    /// <param name="pattern">One that has no <see cref="Problem"/>.</param>
    public static Regex Compile(string pattern) =>
        new($@"^(?:.*\.)?(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static string? Foreign(string pattern)
    {
        for (var i = 0; i + 1 < pattern.Length; i++)
        {
            var (here, next) = (pattern[i], pattern[i + 1]);
            if (here == '\\')
            {
                if (char.IsAsciiLetterOrDigit(next) && !"dDwWsSbB".Contains(next, StringComparison.Ordinal)) return pattern[i..(i + 2)];
                i++;
            }
            else if ((here, next) is ('(', '?') && (i + 2 == pattern.Length || pattern[i + 2] != ':'))
            {
                return pattern[i..Math.Min(i + 3, pattern.Length)];
            }
            else if ((here, next) is ('-', '[') or ('{', ','))
            {
                return pattern[i..(i + 2)];
            }
        }
        return null;
    }
}
