using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>What a statement asks the loop around it to do.</summary>
internal enum Flow { Next, Break, Continue }

/// <summary>A piece of a template, ready to run.</summary>
internal delegate Flow Statement(Scope scope);

/// <summary>Jinja's statements.</summary>
internal sealed class TemplateParser(List<Token> tokens) : ExpressionParser(tokens)
{
    private const int MostNesting = 100;

    /// <summary>What a block wrote, for the filters after it: a name that no template can write.</summary>
    private const string Captured = " captured";
    private int nesting;

    /// <exception cref="ChatTemplateException">It cannot be read; the message names the line.</exception>
    public static Statement Read(string source)
    {
        var parser = new TemplateParser(Lexer.Read(source));
        var body = parser.Body();
        return parser.Is(TokenKind.End) ? body : throw parser.Error($"'{parser.Current.Value}' has no beginning");
    }

    /// <summary>Up to one of the closing tags, which is left to be read; or to the end.</summary>
    private Statement Body(params string[] closing)
    {
        if (++nesting > MostNesting) throw Error("statements are nested too deeply");
        var statements = new List<Statement>();
        while (!Is(TokenKind.End))
        {
            var token = Current;
            At++;
            if (token.Kind == TokenKind.Text) statements.Add(Write(token.Value));
            else if (token.Kind == TokenKind.OpenPrint)
            {
                var value = Parse();
                Close(TokenKind.ClosePrint);
                statements.Add(s =>
                {
                    s.Write(Values.Text(value(s)));
                    return Flow.Next;
                });
            }
            else if (closing.Contains(Current.Value) || closing.Length == 0 && Current.Value.StartsWith("end", StringComparison.Ordinal)) break;
            else statements.Add(Tag());
        }
        if (closing.Length > 0 && Is(TokenKind.End)) throw Error($"'{closing[^1]}' is missing");
        nesting--;
        return Sequence([.. statements]);
    }

    private Statement Tag()
    {
        var name = ExpectName();
        switch (name)
        {
            case "if": return If();
            case "for": return For();
            case "set": return Set();
            case "macro": return Macro();
            case "filter": return FilterBlock();
            case "generation":
                // Marks what an assistant wrote; here only the text counts.
                Close(TokenKind.CloseTag);
                return Finish(Body("endgeneration"));
            case "break":
            case "continue":
                Close(TokenKind.CloseTag);
                return _ => name == "break" ? Flow.Break : Flow.Continue;
            default: throw Error($"the tag '{name}' is not supported");
        }
    }

    private Statement If()
    {
        var branches = new List<(Expression Condition, Statement Then)>();
        Statement otherwise = _ => Flow.Next;
        var condition = Parse();
        while (true)
        {
            Close(TokenKind.CloseTag);
            branches.Add((condition, Body("elif", "else", "endif")));
            var closing = ExpectName();
            if (closing == "elif")
            {
                condition = Parse();
                continue;
            }
            Close(TokenKind.CloseTag);
            if (closing == "else") otherwise = Finish(Body("endif"));
            break;
        }
        return s =>
        {
            s.Count();
            foreach (var (holds, then) in branches)
                if (Values.IsTrue(holds(s))) return then(s);
            return otherwise(s);
        };
    }

    private Statement For()
    {
        var names = Names();
        Expect("in");
        var items = Or();
        var condition = Take("if") ? Parse() : null;
        Close(TokenKind.CloseTag);
        var body = Body("else", "endfor");
        Statement? otherwise = null;
        if (ExpectName() == "else")
        {
            Close(TokenKind.CloseTag);
            otherwise = Body("endfor");
            At++;
        }
        Close(TokenKind.CloseTag);
        return s =>
        {
            s.Count();
            var chosen = Values.Items(items(s));
            if (condition is not null) chosen = [.. chosen.Where(i => Values.IsTrue(condition(Bind(new Scope(s), names, i))))];
            if (chosen.Count == 0) return otherwise?.Invoke(new Scope(s)) ?? Flow.Next;
            for (var i = 0; i < chosen.Count; i++)
            {
                var inner = Bind(new Scope(s), names, chosen[i]);
                inner["loop"] = Loop(chosen, i);
                s.Count();
                if (body(inner) == Flow.Break) break;
            }
            return Flow.Next;
        };
    }

    private static Map Loop(List<object?> items, int i) => new()
    {
        ["index"] = i + 1L, ["index0"] = (long)i, ["revindex"] = (long)(items.Count - i), ["revindex0"] = items.Count - i - 1L,
        ["first"] = i == 0, ["last"] = i == items.Count - 1, ["length"] = (long)items.Count,
        ["previtem"] = i > 0 ? items[i - 1] : new Undefined("previtem"),
        ["nextitem"] = i + 1 < items.Count ? items[i + 1] : new Undefined("nextitem"),
        ["cycle"] = new Callable((a, _) => a.Count == 0 ? throw new ChatTemplateException("loop.cycle needs values") : a[i % a.Count]),
    };

    private Statement Set()
    {
        var names = Names();
        if (names.Count == 1 && Take("."))
        {
            var attribute = ExpectName();
            Expect("=");
            var assigned = Parse();
            Close(TokenKind.CloseTag);
            return s =>
            {
                if (s.Get(names[0]) is not Namespace space) throw new ChatTemplateException($"'{names[0]}' is no namespace, so its attribute cannot be set");
                space.Values[attribute] = assigned(s);
                return Flow.Next;
            };
        }
        if (Is(TokenKind.CloseTag) || Is(TokenKind.Operator, "|")) return SetBlock(names[0]);
        Expect("=");
        var value = Parse();
        if (Is(TokenKind.Operator, ","))
        {
            var parts = new List<Expression> { value };
            while (Take(",")) parts.Add(Parse());
            value = s => parts.Select(p => p(s)).ToList();
        }
        Close(TokenKind.CloseTag);
        return s =>
        {
            Bind(s, names, value(s));
            return Flow.Next;
        };
    }

    private Statement SetBlock(string name)
    {
        Expression value = s => s.Get(Captured);
        while (Take("|")) value = Filter(value);
        Close(TokenKind.CloseTag);
        var body = Finish(Body("endset"));
        return s =>
        {
            s[name] = value(new Scope(s) { [Captured] = Capture(body, new Scope(s, new StringBuilder())) });
            return Flow.Next;
        };
    }

    private Statement FilterBlock()
    {
        var value = Filter(s => s.Get(Captured));
        while (Take("|")) value = Filter(value);
        Close(TokenKind.CloseTag);
        var body = Finish(Body("endfilter"));
        return s =>
        {
            s.Write(Values.Text(value(new Scope(s) { [Captured] = Capture(body, new Scope(s, new StringBuilder())) })));
            return Flow.Next;
        };
    }

    private Statement Macro()
    {
        var name = ExpectName();
        var parameters = new List<(string Name, Expression? Default)>();
        Expect("(");
        while (!Take(")"))
        {
            var parameter = ExpectName();
            parameters.Add((parameter, Take("=") ? Parse() : null));
            if (!Is(TokenKind.Operator, ")")) Expect(",");
        }
        Close(TokenKind.CloseTag);
        var body = Finish(Body("endmacro"));
        return s =>
        {
            s[name] = new Callable((plain, named) =>
            {
                s.Enter();
                if (plain.Count > parameters.Count) throw new ChatTemplateException($"the macro '{name}' takes {parameters.Count} arguments, not {plain.Count}");
                var inner = new Scope(s, new StringBuilder());
                for (var i = 0; i < parameters.Count; i++)
                    inner[parameters[i].Name] = i < plain.Count ? plain[i]
                        : named.TryGetValue(parameters[i].Name, out var given) ? given
                        : parameters[i].Default is { } otherwise ? otherwise(s) : new Undefined(parameters[i].Name);
                var text = Capture(body, inner);
                s.Leave();
                return text;
            });
            return Flow.Next;
        };
    }

    private List<string> Names()
    {
        var names = new List<string> { ExpectName() };
        while (Take(",")) names.Add(ExpectName());
        return names;
    }

    private static Scope Bind(Scope scope, List<string> names, object? value)
    {
        if (names.Count == 1)
        {
            scope[names[0]] = value;
            return scope;
        }
        var parts = Values.Items(value);
        if (parts.Count != names.Count) throw new ChatTemplateException($"{parts.Count} values cannot be given to {names.Count} names");
        for (var i = 0; i < names.Count; i++) scope[names[i]] = parts[i];
        return scope;
    }

    /// <summary>Past the closing tag's name and its end.</summary>
    private Statement Finish(Statement body)
    {
        At++;
        Close(TokenKind.CloseTag);
        return body;
    }

    private void Close(TokenKind kind)
    {
        if (!Is(kind)) throw Error($"'{Current.Value}' is not expected here");
        At++;
    }

    private static string Capture(Statement body, Scope inner)
    {
        body(inner);
        return inner.Output.ToString();
    }

    private static Statement Write(string text) => s =>
    {
        s.Write(text);
        return Flow.Next;
    };

    private static Statement Sequence(Statement[] statements) => s =>
    {
        foreach (var statement in statements)
            if (statement(s) is var flow and not Flow.Next) return flow;
        return Flow.Next;
    };
}
