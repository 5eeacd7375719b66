using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Graft.Modeling.Chat;

internal enum TokenKind { Text, OpenPrint, ClosePrint, OpenTag, CloseTag, Name, Quoted, Integer, Float, Operator, End }

internal readonly record struct Token(TokenKind Kind, string Value, int Line);

/// <summary>
/// Cuts a Jinja template into tokens, as chat templates are read: with <c>trim_blocks</c> (the line break after a tag goes) and
/// <c>lstrip_blocks</c> (blanks between the start of a line and a tag go), comments left out.
/// </summary>
internal sealed partial class Lexer
{
    private static readonly string[] Operators =
        ["==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "<", ">", "=", ".", ",", ":", "|", "~", "(", ")", "[", "]", "{", "}"];

    private readonly string source;
    private readonly List<Token> tokens = [];
    private int at;
    private int line = 1;

    private Lexer(string source) => this.source = source;

    public static List<Token> Read(string source)
    {
        // Jinja reads templates with unix line ends, and drops one at the very end.
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (text.EndsWith('\n')) text = text[..^1];
        var lexer = new Lexer(text);
        lexer.ReadAll();
        return lexer.tokens;
    }

    private void ReadAll()
    {
        while (at < source.Length)
        {
            var open = NextOpening();
            var text = source[at..open];
            var kind = open < source.Length ? source[open + 1] : '\0';
            var mark = open + 2 < source.Length ? source[open + 2] : '\0';
            if (open < source.Length)
            {
                if (mark == '-') text = PythonText.Strip(text, null, left: false);
                else if (mark != '+' && kind != '{') text = StripLineStart(text, open);
            }
            Add(TokenKind.Text, text);
            line += source.AsSpan(at, open - at).Count('\n');
            if (open >= source.Length) break;
            at = open + 2 + (mark is '-' or '+' ? 1 : 0);
            if (kind == '#') SkipComment();
            else if (kind == '%' && RawTag().Match(source, at) is { Success: true } raw) ReadRaw(raw);
            else ReadCode(kind == '{');
        }
        tokens.Add(new Token(TokenKind.End, "", line));
    }

    // What is between {% raw %} and {% endraw %} stays as it is; only the tags themselves are read.
    [GeneratedRegex(@"\G\s*raw\s*([-+]?)%\}")]
    private static partial Regex RawTag();

    [GeneratedRegex(@"\{%([-+]?)\s*endraw\s*([-+]?)%\}")]
    private static partial Regex EndRawTag();

    private void ReadRaw(Match open)
    {
        line += source.AsSpan(at, open.Length).Count('\n');
        AfterTag(at + open.Length, open.Groups[1].Value == "-", trimsLine: false);
        var close = EndRawTag().Match(source, at);
        if (!close.Success) throw Error("'endraw' is missing");
        var text = source[at..close.Index];
        if (close.Groups[1].Value == "-") text = PythonText.Strip(text, null, left: false);
        else if (close.Groups[1].Value != "+") text = StripLineStart(text, close.Index);
        Add(TokenKind.Text, text);
        line += source.AsSpan(at, close.Index + close.Length - at).Count('\n');
        AfterTag(close.Index + close.Length, close.Groups[2].Value == "-", trimsLine: close.Groups[2].Value != "+");
    }

    private int NextOpening()
    {
        for (var i = at; i + 1 < source.Length; i++)
            if (source[i] == '{' && source[i + 1] is ('{' or '%' or '#')) return i;
        return source.Length;
    }

    /// <summary>Blanks before a tag that is the first on its line.</summary>
    private string StripLineStart(string text, int open)
    {
        var start = open;
        while (start > at && source[start - 1] is (' ' or '\t')) start--;
        return start == 0 || source[start - 1] == '\n' ? text[..(start - at)] : text;
    }

    private void SkipComment()
    {
        var end = source.IndexOf("#}", at, StringComparison.Ordinal);
        if (end < 0) throw Error("a comment is not closed");
        line += source.AsSpan(at, end - at).Count('\n');
        AfterTag(end + 2, source[end - 1] == '-', trimsLine: true);
    }

    private void ReadCode(bool print)
    {
        tokens.Add(new Token(print ? TokenKind.OpenPrint : TokenKind.OpenTag, "", line));
        var depth = 0;
        while (true)
        {
            while (at < source.Length && PythonText.IsBlank(source[at]))
                if (source[at++] == '\n') line++;
            if (at >= source.Length) throw Error("a tag is not closed");
            var close = print ? "}}" : "%}";
            var strips = source[at] is ('-' or '+') && string.CompareOrdinal(source, at + 1, close, 0, 2) == 0;
            if (depth == 0 && (strips || string.CompareOrdinal(source, at, close, 0, 2) == 0))
            {
                tokens.Add(new Token(print ? TokenKind.ClosePrint : TokenKind.CloseTag, "", line));
                AfterTag(at + (strips ? 3 : 2), strips && source[at] == '-', trimsLine: !print && !(strips && source[at] == '+'));
                return;
            }
            ReadToken(ref depth);
        }
    }

    private void ReadToken(ref int depth)
    {
        var c = source[at];
        if (char.IsLetter(c) || c == '_')
        {
            var start = at;
            while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] == '_')) at++;
            Add(TokenKind.Name, source[start..at]);
        }
        else if (char.IsAsciiDigit(c)) ReadNumber();
        else if (c is '\'' or '"') ReadText(c);
        else
        {
            var found = Array.Find(Operators, o => string.CompareOrdinal(source, at, o, 0, o.Length) == 0)
                ?? throw Error($"the character '{c}' has no meaning here");
            if (found is "(" or "[" or "{") depth++;
            if (found is ")" or "]" or "}") depth--;
            at += found.Length;
            Add(TokenKind.Operator, found);
        }
    }

    private void ReadNumber()
    {
        var start = at;
        void Digits()
        {
            while (at < source.Length && (char.IsAsciiDigit(source[at]) || source[at] == '_')) at++;
        }
        bool DigitAt(int place) => place < source.Length && char.IsAsciiDigit(source[place]);
        Digits();
        var fraction = source.AsSpan(at) is ['.', ..] && DigitAt(at + 1);
        if (fraction)
        {
            at++;
            Digits();
        }
        var power = source.AsSpan(at) is ['e' or 'E', ..]
            && (DigitAt(at + 1) || (source.AsSpan(at + 1) is ['-' or '+', ..] && DigitAt(at + 2)));
        if (power)
        {
            at += 2;
            Digits();
        }
        Add(fraction || power ? TokenKind.Float : TokenKind.Integer, source[start..at].Replace("_", "", StringComparison.Ordinal));
    }

    private void ReadText(char quote)
    {
        var text = new StringBuilder();
        for (at++; at < source.Length && source[at] != quote; at++)
        {
            if (source[at] == '\n') line++;
            if (source[at] != '\\' || at + 1 >= source.Length)
            {
                text.Append(source[at]);
                continue;
            }
            text.Append(source[++at] switch
            {
                'n' => "\n", 't' => "\t", 'r' => "\r", '\\' => "\\", '\'' => "'", '"' => "\"", '\n' => "", 'b' => "\b", 'f' => "\f", 'a' =>
                    "\a", 'v' => "\v",
                >= '0' and <= '7' => Octal(), 'u' => Unicode(4), 'x' => Unicode(2), 'U' => Unicode(8),
                var other => $"\\{other}",
            });
        }
        if (at++ >= source.Length) throw Error("a text is not closed");
        tokens.Add(new Token(TokenKind.Quoted, text.ToString(), line));
    }

    private string Unicode(int digits)
    {
        if (at + digits >= source.Length || !uint.TryParse(source.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out var code) || code > 0x10FFFF)
            throw Error("an escape in a text is broken");
        at += digits;
        return code > 0xFFFF ? char.ConvertFromUtf32((int)code) : ((char)code).ToString();
    }

    private string Octal()
    {
        var code = source[at] - '0';
        for (var i = 0; i < 2 && at + 1 < source.Length && source[at + 1] is >= '0' and <= '7'; i++) code = code * 8 + source[++at] - '0';
        return ((char)code).ToString();
    }

    private void AfterTag(int next, bool strips, bool trimsLine)
    {
        at = next;
        if (strips)
        {
            while (at < source.Length && PythonText.IsBlank(source[at]))
                if (source[at++] == '\n') line++;
        }
        else if (trimsLine && at < source.Length && source[at] == '\n')
        {
            at++;
            line++;
        }
    }

    private void Add(TokenKind kind, string value)
    {
        if (kind != TokenKind.Text || value.Length > 0) tokens.Add(new Token(kind, value, line));
    }

    private ChatTemplateException Error(string problem) => new($"line {line}: {problem}");
}
