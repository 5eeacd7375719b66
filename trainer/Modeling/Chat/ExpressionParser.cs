namespace Graft.Modeling.Chat;

/// <summary>Jinja's operators, by precedence from the loosest to the tightest.</summary>
internal class ExpressionParser(List<Token> tokens) : PrimaryParser(tokens)
{
    /// <summary>With <c>a if b else c</c>.</summary>
    protected override Expression Parse() => Nested(() =>
    {
        var value = Or();
        while (Take("if")) value = Nested(() => Conditional(value));
        return (Expression)(s =>
        {
            s.Budget.Step();
            return value(s);
        });
    });

    private Expression Conditional(Expression value)
    {
        var condition = Or();
        Expression otherwise = Take("else") ? Parse() : _ => new Undefined("the inline if without else");
        return s =>
        {
            s.Budget.Step();
            return Values.IsTrue(condition(s)) ? value(s) : otherwise(s);
        };
    }

    /// <summary>Several values with commas between make a tuple.</summary>
    protected Expression ParseTuple()
    {
        var first = Parse();
        if (!Is(TokenKind.Operator, ",")) return first;
        var parts = new List<Expression> { first };
        while (Take(",") && Current.Kind != TokenKind.CloseTag) parts.Add(Parse());
        return s => s.Budget.Made(new Row(parts.Select(p => p(s))));
    }

    /// <summary>Without <c>if</c>: what a loop runs over, whose own <c>if</c> follows.</summary>
    protected Expression Or() => Chain(And, "or", stopsAt: true);

    private Expression And() => Chain(Not, "and", stopsAt: false);

    /// <summary>The first value that decides, or the last.</summary>
    private Expression Chain(Func<Expression> operand, string name, bool stopsAt)
    {
        var first = operand();
        if (!IsName(name)) return first;
        var rest = new List<Expression>();
        while (Take(name)) rest.Add(operand());
        return s =>
        {
            var value = first(s);
            for (var i = 0; i < rest.Count && Values.IsTrue(value) != stopsAt; i++) value = rest[i](s);
            return value;
        };
    }

    private Expression Not()
    {
        if (!Take("not")) return Comparison();
        var value = Nested(Not);
        return s => !Values.IsTrue(value(s));
    }

    /// <summary>Chained as Python's: <c>a &lt; b &lt; c</c> is <c>a &lt; b and b &lt; c</c>.</summary>
    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(Func<object?, object?, Budget, bool> Holds, Expression Right)>();
        while (ComparisonOperator() is { } holds) rest.Add((holds, Sum()));
        if (rest.Count == 0) return first;
        return s =>
        {
            var left = first(s);
            foreach (var (holds, right) in rest)
            {
                var value = right(s);
                if (!holds(left, value, s.Budget)) return false;
                left = value;
            }
            return true;
        };
    }

    private Func<object?, object?, Budget, bool>? ComparisonOperator()
    {
        if (IsName("not") && Next is { Kind: TokenKind.Name, Value: "in" })
        {
            At += 2;
            return (a, b, budget) => !Values.Contains(b, a, budget);
        }
        if (Take("in")) return (a, b, budget) => Values.Contains(b, a, budget);
        if (Take("==")) return Values.Same;
        if (Take("!=")) return (a, b, budget) => !Values.Same(a, b, budget);
        if (Take("<=")) return (a, b, budget) => Values.Compare(a, b, budget) <= 0;
        if (Take(">=")) return (a, b, budget) => Values.Compare(a, b, budget) >= 0;
        if (Take("<")) return (a, b, budget) => Values.Compare(a, b, budget) < 0;
        return Take(">") ? (a, b, budget) => Values.Compare(a, b, budget) > 0 : null;
    }

    private Expression Sum() => LeftToRight(Concatenation, "+", "-");
    private Expression Concatenation() => LeftToRight(Product, "~");
    private Expression Product() => LeftToRight(Power, "*", "//", "/", "%");
    private Expression Power() => LeftToRight(() => Unary(filters: true), "**");

    private Expression LeftToRight(Func<Expression> operand, params string[] operators)
    {
        var first = operand();
        var rest = new List<(string Operator, Expression Right)>();
        while (Current.Kind == TokenKind.Operator && operators.Contains(Current.Value))
        {
            var name = Current.Value;
            At++;
            rest.Add((name, operand()));
        }
        if (rest.Count == 0) return first;
        return s =>
        {
            var left = first(s);
            foreach (var (name, right) in rest)
            {
                s.Budget.Step();
                left = Arithmetic.Apply(name, left, right(s), s.Budget);
            }
            return left;
        };
    }

    /// <param name="filters">False behind a sign: a filter belongs to the signed value.</param>
    private Expression Unary(bool filters)
    {
        Expression value;
        if (Take("-"))
        {
            var positive = Nested(() => Unary(filters: false));
            value = s => Arithmetic.Negate(positive(s));
        }
        else if (Take("+"))
        {
            var number = Nested(() => Unary(filters: false));
            value = s => number(s) is var n && Values.IsNumber(n) ? n : throw new ChatTemplateException($"{Values.Kind(n)} is no number");
        }
        else value = Primary();
        value = Postfix(value);
        return filters ? Filtered(value) : value;
    }

    /// <summary>Filters and tests, and calls of what they gave.</summary>
    private Expression Filtered(Expression value)
    {
        var steps = new List<Func<object?, Scope, object?>>();
        while (true)
        {
            if (Take("|")) steps.Add(Filter());
            else if (Take("is")) steps.Add(Test());
            else break;
        }
        return steps.Count == 0 ? value : s => steps.Aggregate(value(s), (v, step) => step(v, s));
    }

    /// <summary>A filter's name and arguments.</summary>
    protected Func<object?, Scope, object?> Filter()
    {
        var name = ExpectName();
        while (Take(".")) name += "." + ExpectName();
        if (!Filters.Known(name)) throw Error($"the filter '{name}' is unknown");
        var arguments = Is(TokenKind.Operator, "(") ? Arguments() : Call.None;
        return (v, s) =>
        {
            var (plain, named) = arguments.Evaluate(s);
            return Filters.Apply(name, v, plain, named, s.Budget);
        };
    }

    private Func<object?, Scope, object?> Test()
    {
        var negated = Take("not");
        var name = ExpectName();
        if (!Tests.Known(name)) throw Error($"the test '{name}' is unknown");
        Call arguments;
        if (Is(TokenKind.Operator, "(")) arguments = Arguments();
        else if (Tests.TakesArgument(name)) arguments = new Call([(Postfix(Primary()), false)], []);
        else arguments = Call.None;
        return (v, s) => Tests.Apply(name, v, arguments.Evaluate(s).Plain, s.Budget) != negated;
    }
}
