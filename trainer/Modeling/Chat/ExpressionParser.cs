using System.Globalization;

namespace Graft.Modeling.Chat;

/// <summary>An expression, ready to be evaluated.</summary>
internal delegate object? Expression(Scope scope);

/// <summary>Jinja's expressions, by precedence from the loosest to the tightest.</summary>
internal class ExpressionParser(List<Token> tokens)
{
    private const int MostNesting = 100;
    private int nesting;

    protected int At { get; set; }
    protected Token Current => tokens[At];

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

    /// <summary>With <c>a if b else c</c>.</summary>
    protected Expression Parse()
    {
        if (++nesting > MostNesting) throw Error("expressions are nested too deeply");
        var value = Or();
        while (IsName("if"))
        {
            At++;
            var condition = Or();
            var (yes, no) = (value, Take("else") ? Parse() : _ => new Undefined("else"));
            value = s => Values.IsTrue(condition(s)) ? yes(s) : no(s);
        }
        nesting--;
        return s =>
        {
            s.Count();
            return value(s);
        };
    }

    /// <summary>Without <c>if</c>: what a loop runs over, whose own <c>if</c> follows.</summary>
    protected Expression Or()
    {
        var left = And();
        while (Take("or"))
        {
            var (a, b) = (left, And());
            left = s => a(s) is var value && Values.IsTrue(value) ? value : b(s);
        }
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (Take("and"))
        {
            var (a, b) = (left, Not());
            left = s => a(s) is var value && !Values.IsTrue(value) ? value : b(s);
        }
        return left;
    }

    private Expression Not()
    {
        if (!Take("not")) return Comparison();
        if (++nesting > MostNesting) throw Error("expressions are nested too deeply");
        var value = Not();
        nesting--;
        return s => !Values.IsTrue(value(s));
    }

    /// <summary>Chained as Python's: <c>a &lt; b &lt; c</c> is <c>a &lt; b and b &lt; c</c>.</summary>
    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(Func<object?, object?, bool> Holds, Expression Right)>();
        while (ComparisonOperator() is { } holds) rest.Add((holds, Sum()));
        if (rest.Count == 0) return first;
        return s =>
        {
            var left = first(s);
            foreach (var (holds, right) in rest)
            {
                var value = right(s);
                if (!holds(left, value)) return false;
                left = value;
            }
            return true;
        };
    }

    private Func<object?, object?, bool>? ComparisonOperator()
    {
        if (IsName("not") && tokens[At + 1] is { Kind: TokenKind.Name, Value: "in" })
        {
            At += 2;
            return (a, b) => !Values.Contains(b, a);
        }
        if (Take("in")) return (a, b) => Values.Contains(b, a);
        if (Take("==")) return Values.Same;
        if (Take("!=")) return (a, b) => !Values.Same(a, b);
        if (Take("<=")) return (a, b) => Values.Compare(a, b) <= 0;
        if (Take(">=")) return (a, b) => Values.Compare(a, b) >= 0;
        if (Take("<")) return (a, b) => Values.Compare(a, b) < 0;
        return Take(">") ? (a, b) => Values.Compare(a, b) > 0 : null;
    }

    private Expression Sum() => LeftToRight(Concatenation, "+", "-");
    private Expression Concatenation() => LeftToRight(Product, "~");
    private Expression Product() => LeftToRight(Unary, "*", "//", "/", "%");

    private Expression LeftToRight(Func<Expression> operand, params string[] operators)
    {
        var left = operand();
        while (Current.Kind == TokenKind.Operator && operators.Contains(Current.Value))
        {
            var name = tokens[At++].Value;
            var (a, b) = (left, operand());
            left = s => Arithmetic.Apply(name, a(s), b(s));
        }
        return left;
    }

    private Expression Unary()
    {
        if (++nesting > MostNesting) throw Error("expressions are nested too deeply");
        try
        {
            if (Take("-"))
            {
                var value = Unary();
                return s => Arithmetic.Apply("-", 0L, value(s));
            }
            if (Take("+")) return Unary();
            var power = Filtered();
            if (!Take("**")) return power;
            var exponent = Unary();
            return s => Arithmetic.Apply("**", power(s), exponent(s));
        }
        finally
        {
            nesting--;
        }
    }

    /// <summary>Attributes, items, calls, then filters and tests.</summary>
    private Expression Filtered()
    {
        var value = Postfix(Primary());
        while (true)
        {
            if (Take("|")) value = Filter(value);
            else if (Take("is")) value = Test(value);
            else return value;
        }
    }

    protected Expression Filter(Expression value)
    {
        var name = ExpectName();
        if (!Filters.Known(name)) throw Error($"the filter '{name}' is unknown");
        var arguments = Is(TokenKind.Operator, "(") ? Arguments() : Call.None;
        return s =>
        {
            var (plain, named) = arguments.Evaluate(s);
            return Filters.Apply(name, value(s), plain, named);
        };
    }

    private Expression Test(Expression value)
    {
        var negated = Take("not");
        var name = ExpectName();
        if (!Tests.Known(name)) throw Error($"the test '{name}' is unknown");
        Call arguments;
        if (Is(TokenKind.Operator, "(")) arguments = Arguments();
        else if (Tests.TakesArgument(name)) arguments = new Call([Postfix(Primary())], []);
        else arguments = Call.None;
        return s => Tests.Apply(name, value(s), arguments.Evaluate(s).Plain) != negated;
    }

    private Expression Postfix(Expression value)
    {
        while (true)
        {
            var target = value;
            if (Take("."))
            {
                var name = Current.Kind == TokenKind.Integer ? tokens[At++].Value : ExpectName();
                value = s => Members.Attribute(target(s), name);
            }
            else if (Take("["))
            {
                value = Subscript(target);
            }
            else if (Is(TokenKind.Operator, "("))
            {
                var line = Current.Line;
                var arguments = Arguments();
                value = s =>
                {
                    s.Count();
                    var callee = target(s);
                    var (plain, named) = arguments.Evaluate(s);
                    return callee is Callable callable ? callable(plain, named)
                        : throw new ChatTemplateException($"line {line}: {Values.Kind(callee)} cannot be called");
                };
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(Expression target)
    {
        var parts = new List<Expression?>();
        do
        {
            parts.Add(Is(TokenKind.Operator, ":") || Is(TokenKind.Operator, "]") ? null : Parse());
        }
        while (parts.Count < 3 && Take(":"));
        Expect("]");
        if (parts is [{ } key]) return s => Members.Item(target(s), key(s));
        var (from, to, step) = (parts[0], parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2));
        return s => Members.Slice(target(s), from?.Invoke(s), to?.Invoke(s), step?.Invoke(s));
    }

    private Call Arguments()
    {
        Expect("(");
        var (plain, named) = (new List<Expression>(), new List<(string, Expression)>());
        while (!Take(")"))
        {
            if (Current.Kind == TokenKind.Name && tokens[At + 1] is { Kind: TokenKind.Operator, Value: "=" })
            {
                var name = ExpectName();
                At++;
                named.Add((name, Parse()));
            }
            else plain.Add(Parse());
            if (!Is(TokenKind.Operator, ")")) Expect(",");
        }
        return new Call(plain, named);
    }

    private Expression Primary()
    {
        var token = Current;
        At++;
        switch (token.Kind)
        {
            case TokenKind.Quoted:
                var text = token.Value;
                while (Current.Kind == TokenKind.Quoted) text += tokens[At++].Value;
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
            case TokenKind.Operator when token.Value == "(": return Parenthesis();
            case TokenKind.Operator when token.Value == "[": return ListOf("]");
            case TokenKind.Operator when token.Value == "{": return MapOf();
            default:
                At--;
                throw Error($"'{token.Value}' stands where a value should");
        }
    }

    /// <summary>A value, or a tuple, which is a list here.</summary>
    private Expression Parenthesis()
    {
        if (Take(")")) return _ => new List<object?>();
        var first = Parse();
        if (Take(")")) return first;
        Expect(",");
        var rest = ListOf(")");
        return s => new List<object?> { first(s) }.Concat((List<object?>)rest(s)!).ToList();
    }

    private Expression ListOf(string close)
    {
        var items = new List<Expression>();
        while (!Take(close))
        {
            items.Add(Parse());
            if (!Is(TokenKind.Operator, close)) Expect(",");
        }
        return s => items.Select(i => i(s)).ToList();
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
            foreach (var (key, value) in pairs) map[key(s) ?? throw new ChatTemplateException("none cannot be a key")] = value(s);
            return map;
        };
    }
}

/// <summary>Arguments of a call, a filter or a test.</summary>
internal sealed record Call(List<Expression> Plain, List<(string Name, Expression Value)> Named)
{
    public static Call None { get; } = new([], []);

    public (List<object?> Plain, Dictionary<string, object?> Named) Evaluate(Scope scope) =>
        ([.. Plain.Select(p => p(scope))], Named.ToDictionary(n => n.Name, n => n.Value(scope), StringComparer.Ordinal));
}
