using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>An expression, ready to be evaluated.</summary>
internal delegate object? Expression(Scope scope);

/// <summary>Literals, names, and what follows them directly: attributes, items, slices and calls.</summary>
internal abstract class PrimaryParser(List<Token> tokens) : TokenReader(tokens)
{
    /// <summary>A whole expression.</summary>
    protected abstract Expression Parse();

    protected Expression Primary()
    {
        var token = Current;
        At++;
        switch (token.Kind)
        {
            case TokenKind.Quoted:
                var parts = new List<string> { token.Value };
                for (; Current.Kind == TokenKind.Quoted; At++) parts.Add(Current.Value);
                var text = string.Concat(parts);
                return _ => text;
            case TokenKind.Integer when long.TryParse(token.Value, CultureInfo.InvariantCulture, out var whole): return _ => whole;
            case TokenKind.Float when double.TryParse(token.Value, CultureInfo.InvariantCulture, out var number): return _ => number;
            case TokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => _ => true,
                    "false" or "False" => _ => false,
                    "none" or "None" => _ => null,
                    var name => s => s.Get(name),
                };
            case TokenKind.Operator when token.Value == "(": return Nested(Parenthesis);
            case TokenKind.Operator when token.Value == "[": return Nested(() => ListOf("]"));
            case TokenKind.Operator when token.Value == "{": return Nested(MapOf);
            default:
                At--;
                throw Error($"'{token.Value}' stands where a value should");
        }
    }

    protected Expression Postfix(Expression value)
    {
        // One after another rather than one inside another: a chain may be long.
        var steps = new List<Func<object?, Scope, object?>>();
        while (true)
        {
            if (Take("."))
            {
                if (Current.Kind == TokenKind.Integer)
                {
                    var place = long.TryParse(Current.Value, CultureInfo.InvariantCulture, out var parsed) ? parsed
                        : throw Error("a number is too large");
                    At++;
                    steps.Add((v, s) => Members.Item(v, place, s.Budget));
                    continue;
                }
                var name = ExpectName();
                steps.Add((v, s) => Members.Attribute(v, name, s.Budget));
            }
            else if (Take("[")) steps.Add(Nested(Subscript));
            else if (Is(TokenKind.Operator, "(")) steps.Add(CallOf(Current.Line));
            else break;
        }
        return steps.Count == 0 ? value : s =>
        {
            var at = value(s);
            foreach (var step in steps) at = step(at, s);
            return at;
        };
    }

    protected Call Arguments()
    {
        Expect("(");
        return Nested(() =>
        {
            var (plain, named) = (new List<(Expression, bool)>(), new List<(string?, Expression)>());
            while (!Take(")"))
            {
                if (Current.Kind == TokenKind.Name && Next is { Kind: TokenKind.Operator, Value: "=" })
                {
                    var name = ExpectName();
                    At++;
                    named.Add((name, Parse()));
                }
                else if (Take("**")) named.Add((null, Parse()));
                else if (Take("*")) plain.Add((Parse(), true));
                else plain.Add((Parse(), false));
                if (!Is(TokenKind.Operator, ")")) Expect(",");
            }
            return new Call(plain, named);
        });
    }

    private Func<object?, Scope, object?> CallOf(int line)
    {
        var arguments = Arguments();
        return (callee, s) =>
        {
            s.Budget.Step();
            var (plain, named) = arguments.Evaluate(s);
            return callee switch
            {
                Callable callable => callable(plain, named),
                LoopValue loop => loop.Again(plain, named),
                _ => throw new ChatTemplateException($"line {line}: {Values.Kind(callee)} cannot be called"),
            };
        };
    }

    private Func<object?, Scope, object?> Subscript()
    {
        var parts = new List<Expression?>();
        do
        {
            parts.Add(Is(TokenKind.Operator, ":") || Is(TokenKind.Operator, "]") ? null : Parse());
        }
        while (parts.Count < 3 && Take(":"));
        Expect("]");
        if (parts is [{ } key]) return (v, s) => Members.Item(v, key(s), s.Budget);
        if (parts is [null]) throw Error("a key is missing");
        var (from, to, step) = (parts[0], parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2));
        return (v, s) => Members.Slice(v, from?.Invoke(s), to?.Invoke(s), step?.Invoke(s), s.Budget);
    }

    /// <summary>A value in parentheses, or a tuple.</summary>
    private Expression Parenthesis()
    {
        if (Take(")")) return _ => new Row([]);
        var first = Parse();
        if (Take(")")) return first;
        Expect(",");
        var rest = ListOf(")");
        return s => s.Budget.Made(new Row([first(s), .. (List<object?>)rest(s)!]));
    }

    private Expression ListOf(string close)
    {
        var items = new List<Expression>();
        while (!Take(close))
        {
            items.Add(Parse());
            if (!Is(TokenKind.Operator, close)) Expect(",");
        }
        return s => s.Budget.Made([.. items.Select(i => i(s))]);
    }

    private Expression MapOf()
    {
        var pairs = new List<(Expression Key, Expression Value)>();
        while (!Take("}"))
        {
            var key = Parse();
            Expect(":");
            pairs.Add((key, Parse()));
            if (!Is(TokenKind.Operator, "}")) Expect(",");
        }
        return s =>
        {
            var map = new Map();
            foreach (var (key, value) in pairs) map[Map.Key(key(s))] = value(s);
            s.Budget.Spend(8L * map.Count);
            return map;
        };
    }
}

/// <summary>Arguments of a call, a filter or a test; <c>*list</c> and <c>**mapping</c> are spread.</summary>
internal sealed record Call(List<(Expression Value, bool Spread)> Plain, List<(string? Name, Expression Value)> Named)
{
    public static Call None { get; } = new([], []);

    public (List<object?> Plain, Dictionary<string, object?> Named) Evaluate(Scope scope)
    {
        var plain = new List<object?>(Plain.Count);
        foreach (var (value, spread) in Plain)
        {
            if (spread) plain.AddRange(scope.Budget.Made(Values.Items(value(scope), scope.Budget)));
            else plain.Add(value(scope));
        }
        var named = new Dictionary<string, object?>(Named.Count, StringComparer.Ordinal);
        foreach (var (name, value) in Named)
        {
            if (name is not null) named[name] = value(scope);
            else if (value(scope) is Map map)
                foreach (var (key, entry) in map) named[key as string
                    ?? throw new ChatTemplateException("an argument's name must be a text")] = entry;
            else throw new ChatTemplateException("'**' needs a mapping");
        }
        return (plain, named);
    }
}
