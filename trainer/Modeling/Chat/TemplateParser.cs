using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>What a statement asks the loop around it to do.</summary>
internal enum Flow { Next, Break, Continue }

/// <summary>A piece of a template, ready to run.</summary>
internal delegate Flow Statement(Scope scope);

/// <summary>Jinja's statements, without those that reach other templates. Loops and macros are in files of their own.</summary>
internal sealed partial class TemplateParser(List<Token> tokens) : ExpressionParser(tokens)
{
    /// <summary>Whether a part of the text is marked as the assistant's.</summary>
    private bool marks;

    /// <exception cref="ChatTemplateException">It cannot be read; the message names the line.</exception>
    public static (Statement Body, bool MarksAssistant) Read(string source)
    {
        var parser = new TemplateParser(Lexer.Read(source));
        var body = parser.Body();
        return parser.Is(TokenKind.End) ? (body, parser.marks) : throw parser.Error($"'{parser.Current.Value}' has no beginning");
    }

    /// <summary>Up to one of the closing tags, which is left to be read; or to the end.</summary>
    private Statement Body(params string[] closing) => Nested(() =>
    {
        var statements = new List<Statement>();
        while (!Is(TokenKind.End))
        {
            var token = Current;
            At++;
            if (token.Kind == TokenKind.Text) statements.Add(Write(token.Value));
            else if (token.Kind == TokenKind.OpenPrint) statements.Add(Print());
            else if (closing.Contains(Current.Value)
                || (closing.Length == 0 && Current.Value.StartsWith("end", StringComparison.Ordinal))) break;
            else statements.Add(Tag());
        }
        if (closing.Length > 0 && Is(TokenKind.End)) throw Error($"'{closing[^1]}' is missing");
        return Sequence([.. statements]);
    });

    private Statement Print()
    {
        var value = ParseTuple();
        Close(TokenKind.ClosePrint);
        return s =>
        {
            s.Write(Printing.Text(value(s), s.Budget));
            return Flow.Next;
        };
    }

    private Statement Tag()
    {
        var name = ExpectName();
        switch (name)
        {
            case "if": return If();
            case "for": return For();
            case "set": return Set();
            case "with": return With();
            case "macro": return Macro();
            case "call": return CallBlock();
            case "filter": return FilterBlock();
            case "generation": return Generation();
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
        var condition = ParseTuple();
        while (true)
        {
            Close(TokenKind.CloseTag);
            branches.Add((condition, Body("elif", "else", "endif")));
            var closing = ExpectName();
            if (closing == "elif")
            {
                condition = ParseTuple();
                continue;
            }
            Close(TokenKind.CloseTag);
            if (closing == "else") otherwise = Finish(Body("endif"));
            break;
        }
        return s =>
        {
            s.Budget.Step();
            foreach (var (holds, then) in branches)
                if (Values.IsTrue(holds(s))) return then(s);
            return otherwise(s);
        };
    }

    private Statement Set()
    {
        var target = Target();
        if (Is(TokenKind.CloseTag) || Is(TokenKind.Operator, "|"))
        {
            var captured = Captured("endset");
            return s =>
            {
                target(s, captured(s));
                return Flow.Next;
            };
        }
        Expect("=");
        var value = ParseTuple();
        Close(TokenKind.CloseTag);
        return s =>
        {
            target(s, value(s));
            return Flow.Next;
        };
    }

    private Statement With()
    {
        var bindings = new List<(Action<Scope, object?> Target, Expression Value)>();
        while (!Is(TokenKind.CloseTag))
        {
            if (bindings.Count > 0) Expect(",");
            var target = OneTarget();
            Expect("=");
            bindings.Add((target, Parse()));
        }
        Close(TokenKind.CloseTag);
        var body = Finish(Body("endwith"));
        return s =>
        {
            var inner = new Scope(s);
            foreach (var (target, value) in bindings) target(inner, value(s));
            return body(inner);
        };
    }

    private Statement FilterBlock()
    {
        var captured = Captured("endfilter", Filter());
        return s =>
        {
            s.Write(Printing.Text(captured(s), s.Budget));
            return Flow.Next;
        };
    }

    /// <summary>
    /// Marks what the assistant wrote. As in transformers its variables are its own, and it does not end the loop around it.
    /// </summary>
    private Statement Generation()
    {
        Close(TokenKind.CloseTag);
        marks = true;
        var body = Finish(Body("endgeneration"));
        return s =>
        {
            var start = s.Output.Length;
            body(new Scope(s));
            s.Spans?.Add((start, s.Output.Length));
            return Flow.Next;
        };
    }

    /// <summary>The text of a block, and what filters make of it.</summary>
    private Expression Captured(string closing, Func<object?, Scope, object?>? filter = null)
    {
        var filters = new List<Func<object?, Scope, object?>>();
        if (filter is not null) filters.Add(filter);
        while (Take("|")) filters.Add(Filter());
        Close(TokenKind.CloseTag);
        var body = Finish(Body(closing));
        return s => filters.Aggregate((object?)Capture(body, new Scope(s, new StringBuilder())), (v, f) => f(v, s));
    }

    /// <summary>What a value is given to: names, attributes of namespaces, or several of them for the parts of a list.</summary>
    private Action<Scope, object?> Target()
    {
        var first = OneTarget();
        if (!Is(TokenKind.Operator, ",")) return first;
        var targets = new List<Action<Scope, object?>> { first };
        while (Take(",") && !IsName("in") && !Is(TokenKind.Operator, "=")) targets.Add(OneTarget());
        return Unpacked(targets);
    }

    private Action<Scope, object?> OneTarget()
    {
        if (Take("("))
        {
            var inner = Nested(Target);
            Expect(")");
            return inner;
        }
        var name = ExpectName();
        if (!Take(".")) return (s, value) => s[name] = value;
        var attribute = ExpectName();
        return (s, value) =>
        {
            if (s.Get(name) is not Namespace space)
                throw new ChatTemplateException($"'{name}' is no namespace, so its attribute cannot be set");
            space.Values[attribute] = value;
        };
    }

    private static Action<Scope, object?> Unpacked(List<Action<Scope, object?>> targets) => (s, value) =>
    {
        var parts = Values.Items(value is Undefined ? throw new ChatTemplateException("what is undefined has no parts") : value, s.Budget);
        if (parts.Count != targets.Count) throw new ChatTemplateException($"{parts.Count} values cannot be given to {targets.Count} names");
        for (var i = 0; i < targets.Count; i++) targets[i](s, parts[i]);
    };

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
