using System.Globalization;
using System.Text;

namespace Graft.LocalCluster.Cel;

/// <summary>Escape sequences of string literals.</summary>
internal static class CelEscapes
{
    /// <summary>Reads the sequence at the backslash and moves behind it.</summary>
    /// <returns>The code point; in a literal of bytes, numbers of two hexadecimal or three octal digits are one byte each.</returns>
    /// <exception cref="CelSyntaxException">A sequence that CEL does not know.</exception>
    public static (Rune Code, bool IsByte) Read(string source, ref int at)
    {
        var start = at++;
        var c = at < source.Length ? source[at++] : '\0';
        var plain = c switch
        {
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            '\\' or '\'' or '"' or '`' or '?' => c,
            _ => '\0',
        };
        if (plain != '\0')
        {
            return (new Rune(plain), false);
        }
        var (length, isOctal) = c switch
        {
            'x' or 'X' => (2, false),
            'u' => (4, false),
            'U' => (8, false),
            >= '0' and <= '3' => (2, true),
            _ => (0, false),
        };
        var digits = at + length <= source.Length ? source.Substring(at, length) : "";
        at += length;
        var code = 0;
        var isValid = length > 0 && digits.Length == length && (isOctal
            ? digits.All(d => d is >= '0' and <= '7')
            : int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code));
        if (isOctal && isValid)
        {
            code = ((c - '0') * 64) + ((digits[0] - '0') * 8) + (digits[1] - '0');
        }
        if (!isValid || !Rune.IsValid(code))
        {
            throw new CelSyntaxException(new CelIssue(start, "Syntax error: invalid escape sequence"));
        }
        return (new Rune(code), isOctal || length == 2);
    }
}
