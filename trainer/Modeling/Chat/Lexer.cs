using System.Text;

namespace Graft.Modeling.Chat;

internal enum TokenKind { Text, OpenPrint, ClosePrint, OpenTag, CloseTag, Name, Quoted, Integer, Float, Operator, End }

internal readonly record struct Token(TokenKind Kind, string Value, int Line);

/// <summary>
/// Cuts a Jinja template into tokens, as chat templates are read: with <c>trim_blocks</c> (the line break after a tag goes) and
/// <c>lstrip_blocks</c> (blanks between the start of a line and a tag go), comments left out.
/// </summary>
internal sealed class Lexer
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
                if (mark == '-') text = text.TrimEnd();
                else if (mark != '+' && kind != '{') text = StripLineStart(text, open);
            }
            Add(TokenKind.Text, text);
            line += source.AsSpan(at, open - at).Count('\n');
            if (open >= source.Length) break;
            at = open + 2 + (mark is '-' or '+' ? 1 : 0);
            if (kind == '#') SkipComment();
            else ReadCode(kind == '{');
        }
        tokens.Add(new Token(TokenKind.End, "", line));
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
            while (at < source.Length && char.IsWhiteSpace(source[at]))
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
            var found = Array.Find(Operators, o => string.CompareOrdinal(source, at, o, 0, o.Length) == 0) ?? throw Error($"the character '{c}' has no meaning here");
            if (found is "(" or "[" or "{") depth++;
            if (found is ")" or "]" or "}") depth--;
            at += found.Length;
            Add(TokenKind.Operator, found);
        }
    }

    private void ReadNumber()
    {
        var start = at;
        while (at < source.Length && (char.IsAsciiDigit(source[at]) || source[at] == '_')) at++;
        var fraction = at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]);
        if (fraction)
        {
            at++;
            while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        }
        Add(fraction ? TokenKind.Float : TokenKind.Integer, source[start..at].Replace("_", "", StringComparison.Ordinal));
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
                'n' => "\n", 't' => "\t", 'r' => "\r", '\\' => "\\", '\'' => "'", '"' => "\"", '\n' => "", 'b' => "\b", 'f' => "\f", '0' => "\0",
                'u' => Unicode(4), 'x' => Unicode(2),
                var other => $"\\{other}",
            });
        }
        if (at++ >= source.Length) throw Error("a text is not closed");
        tokens.Add(new Token(TokenKind.Quoted, text.ToString(), line));
    }

    private string Unicode(int digits)
    {
        if (at + digits >= source.Length || !ushort.TryParse(source.AsSpan(at + 1, digits), System.Globalization.NumberStyles.HexNumber, null, out var code))
            throw Error("an escape in a text is broken");
        at += digits;
        return ((char)code).ToString();
    }

    private void AfterTag(int next, bool strips, bool trimsLine)
    {
        at = next;
        if (strips)
        {
            while (at < source.Length && char.IsWhiteSpace(source[at]))
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
