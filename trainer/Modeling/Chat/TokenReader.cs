namespace Graft.Modeling.Chat;

/// <summary>Goes through a template's tokens.</summary>
internal class TokenReader(List<Token> tokens)
{
    private const int MostNesting = 100;
    private int nesting;

    protected int At { get; set; }
    protected Token Current => tokens[At];

    /// <summary>The one after <see cref="Current"/>; the last is followed by itself.</summary>
    protected Token Next => tokens[Math.Min(At + 1, tokens.Count - 1)];

    protected ChatTemplateException Error(string problem) => new($"line {Current.Line}: {problem}");

    protected bool Is(TokenKind kind, string? value = null) => Current.Kind == kind && (value is null || Current.Value == value);
    protected bool IsName(string name) => Is(TokenKind.Name, name);

    protected bool Take(string value)
    {
        if (Current.Value != value || Current.Kind is not (TokenKind.Operator or TokenKind.Name)) return false;
        At++;
        return true;
    }

    protected void Expect(string value)
    {
        if (!Take(value)) throw Error($"'{value}' is missing before '{Current.Value}'");
    }

    protected string ExpectName()
    {
        if (Current.Kind != TokenKind.Name) throw Error($"a name is missing before '{Current.Value}'");
        return tokens[At++].Value;
    }

    /// <summary>Whether a name occurs in the tokens from <paramref name="start"/> up to here.</summary>
    protected bool Mentions(string name, int start) =>
        tokens.FindIndex(start, At - start, t => t is { Kind: TokenKind.Name } && t.Value == name) >= 0;

    /// <summary>Reads what lies one level deeper.</summary>
    protected T Nested<T>(Func<T> read)
    {
        if (++nesting > MostNesting) throw Error("it is nested too deeply");
        Budget.CheckStack();
        var value = read();
        nesting--;
        return value;
    }
}
