using System.Globalization;
using System.Text;

namespace Graft.LocalCluster.Cel;

internal enum CelTokenKind
{
    End,
    Identifier,
    Literal,
    Symbol,
}

/// <summary>A token; a literal carries its value, the others their text.</summary>
internal readonly record struct CelToken(CelTokenKind Kind, int Offset, string Text, object? Value = null);

/// <summary>Splits an expression into tokens, as the CEL specification's section "Lexis" says.</summary>
internal sealed class CelLexer(string source)
{
    private static readonly string[] Symbols =
        ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "%"];

    private int _at;

    /// <exception cref="CelSyntaxException">A character or literal that CEL does not know.</exception>
    public List<CelToken> ReadAll()
    {
        var tokens = new List<CelToken>();
        while (true)
        {
            SkipSpace();
            if (_at >= source.Length)
            {
                tokens.Add(new CelToken(CelTokenKind.End, source.Length, "<EOF>"));
                return tokens;
            }
            tokens.Add(Read());
        }
    }

    private CelToken Read()
    {
        var start = _at;
        if (StringPrefix() is { } prefix)
        {
            return ReadString(start, prefix);
        }
        var c = source[_at];
        if (char.IsAsciiLetter(c) || c == '_')
        {
            while (_at < source.Length && (char.IsAsciiLetterOrDigit(source[_at]) || source[_at] == '_'))
            {
                _at++;
            }
            var word = source[start.._at];
            return word switch
            {
                "true" => new(CelTokenKind.Literal, start, word, true),
                "false" => new(CelTokenKind.Literal, start, word, false),
                "null" => new(CelTokenKind.Literal, start, word),
                _ => new(CelTokenKind.Identifier, start, word),
            };
        }
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < source.Length && char.IsAsciiDigit(source[_at + 1])))
        {
            return ReadNumber(start);
        }
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(source, _at, symbol, 0, symbol.Length) == 0)
            {
                _at += symbol.Length;
                return new(CelTokenKind.Symbol, start, symbol);
            }
        }
        throw Error(start, $"Syntax error: token recognition error at: '{c}'");
    }

    private void SkipSpace()
    {
        while (_at < source.Length)
        {
            if (char.IsWhiteSpace(source[_at]))
            {
                _at++;
            }
            else if (string.CompareOrdinal(source, _at, "//", 0, 2) == 0)
            {
                var end = source.IndexOf('\n', _at);
                _at = end < 0 ? source.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken ReadNumber(int start)
    {
        if (source[_at] == '0' && _at + 1 < source.Length && source[_at + 1] is 'x' or 'X')
        {
            _at += 2;
            TakeWhile(char.IsAsciiHexDigit);
            var isUint = TakeSuffix();
            var digits = source[(start + 2)..(_at - (isUint ? 1 : 0))];
            return ulong.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex) && (isUint || hex <= long.MaxValue)
                ? new(CelTokenKind.Literal, start, source[start.._at], isUint ? hex : (long)hex)
                : throw Error(start, "invalid int literal");
        }
        TakeWhile(char.IsAsciiDigit);
        var isDouble = false;
        if (_at + 1 < source.Length && source[_at] == '.' && char.IsAsciiDigit(source[_at + 1]))
        {
            isDouble = true;
            _at++;
            TakeWhile(char.IsAsciiDigit);
        }
        if (_at < source.Length && source[_at] is 'e' or 'E')
        {
            isDouble = true;
            _at++;
            if (_at < source.Length && source[_at] is '+' or '-')
            {
                _at++;
            }
            TakeWhile(char.IsAsciiDigit);
        }
        var text = source[start.._at];
        if (isDouble)
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? new(CelTokenKind.Literal, start, text, number)
                : throw Error(start, "invalid double literal");
        }
        if (TakeSuffix())
        {
            return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned)
                ? new(CelTokenKind.Literal, start, text, unsigned)
                : throw Error(start, "invalid uint literal");
        }
        // The digits of the smallest integer fit only together with its sign, which the parser sees.
        if (text == SmallestDigits)
        {
            return new(CelTokenKind.Literal, start, text, new SmallestInteger());
        }
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var integer)
            ? new(CelTokenKind.Literal, start, text, integer)
            : throw Error(start, "invalid int literal");
    }

    private bool TakeSuffix()
    {
        if (_at < source.Length && source[_at] is 'u' or 'U')
        {
            _at++;
            return true;
        }
        return false;
    }

    private void TakeWhile(Func<char, bool> isPart)
    {
        while (_at < source.Length && isPart(source[_at]))
        {
            _at++;
        }
    }

    /// <summary>The letters before the quote, or null where no string begins here.</summary>
    private string? StringPrefix()
    {
        var quote = _at;
        while (quote < source.Length && quote - _at < 2 && source[quote] is 'r' or 'R' or 'b' or 'B')
        {
            quote++;
        }
        return quote < source.Length && source[quote] is '"' or '\'' ? source[_at..quote].ToLowerInvariant() : null;
    }

    private CelToken ReadString(int start, string prefix)
    {
        _at += prefix.Length;
        var quote = source[_at].ToString();
        if (string.CompareOrdinal(source, _at, new string(quote[0], 3), 0, 3) == 0)
        {
            quote = new string(quote[0], 3);
        }
        _at += quote.Length;
        var (isRaw, isBytes) = (prefix.Contains('r'), prefix.Contains('b'));
        var text = new StringBuilder();
        var bytes = new List<byte>();
        while (string.CompareOrdinal(source, _at, quote, 0, quote.Length) != 0)
        {
            if (_at >= source.Length || (quote.Length == 1 && source[_at] == '\n'))
            {
                throw Error(start, $"Syntax error: token recognition error at: '{source[start..Math.Min(_at, source.Length)]}'");
            }
            if (source[_at] == '\\' && !isRaw)
            {
                var (code, isByte) = CelEscapes.Read(source, ref _at);
                if (isBytes && isByte)
                {
                    bytes.AddRange(Encoding.UTF8.GetBytes(text.ToString()));
                    text.Clear();
                    bytes.Add((byte)code.Value);
                }
                else
                {
                    text.Append(code.ToString());
                }
            }
            else
            {
                text.Append(source[_at++]);
            }
        }
        _at += quote.Length;
        var value = text.ToString();
        bytes.AddRange(Encoding.UTF8.GetBytes(value));
        return new(CelTokenKind.Literal, start, value, isBytes ? bytes.ToArray() : value);
    }

    private const string SmallestDigits = "9223372036854775808";

    /// <summary>The value of a literal that stands only behind a minus.</summary>
    public sealed record SmallestInteger;

    private static CelSyntaxException Error(int offset, string message) => new(new CelIssue(offset, message));
}
