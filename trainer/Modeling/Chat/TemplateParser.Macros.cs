using System.Text;

namespace Graft.Modeling.Chat;

internal sealed partial class TemplateParser
{
    private const string Caller = "caller", VariableArguments = "varargs", NamedArguments = "kwargs";

    private Statement Macro()
    {
        var name = ExpectName();
        var macro = MacroBody(name, "endmacro");
        return s =>
        {
            s[name] = macro(s);
            return Flow.Next;
        };
    }

    /// <summary><c>{% call %}</c>: calls a macro and hands it the block as <c>caller</c>.</summary>
    private Statement CallBlock()
    {
        var parameters = Is(TokenKind.Operator, "(") ? Parameters() : [];
        var callee = Postfix(Primary(), out var arguments);
        var block = MacroBody(Caller, "endcall", parameters);
        return s =>
        {
            var (plain, named) = arguments.Evaluate(s);
            named[Caller] = block(s);
            if (callee(s) is not Callable callable) throw new ChatTemplateException("'call' needs a macro");
            s.Write(Printing.Text(callable(plain, named), s.Budget));
            return Flow.Next;
        };
    }

    /// <summary>What is called, apart from the arguments of the last call.</summary>
    private Expression Postfix(Expression value, out Call arguments)
    {
        while (Take("."))
        {
            var (target, attribute) = (value, ExpectName());
            value = s => Members.Attribute(target(s), attribute, s.Budget);
        }
        arguments = Arguments();
        return value;
    }

    private List<(string Name, Expression? Default)> Parameters()
    {
        var parameters = new List<(string Name, Expression? Default)>();
        Expect("(");
        while (!Take(")"))
        {
            var parameter = ExpectName();
            parameters.Add((parameter, Take("=") ? Parse() : null));
            if (!Is(TokenKind.Operator, ")")) Expect(",");
        }
        return parameters;
    }

    private Func<Scope, Callable> MacroBody(string name, string closing, List<(string Name, Expression? Default)>? given = null)
    {
        var parameters = given ?? Parameters();
        Close(TokenKind.CloseTag);
        var start = At;
        var body = Body(closing);
        var (takesMore, takesNamed, takesCaller) = (Mentions(VariableArguments, start), Mentions(NamedArguments, start),
            Mentions(Caller, start));
        Finish(body);
        return outer => (plain, named) =>
        {
            using var level = outer.Budget.Enter();
            outer.Budget.Step();
            if (plain.Count > parameters.Count && !takesMore)
                throw new ChatTemplateException($"the macro '{name}' takes {parameters.Count} arguments, not {plain.Count}");
            var inner = new Scope(outer, new StringBuilder());
            for (var i = 0; i < parameters.Count; i++)
            {
                var (parameter, otherwise) = parameters[i];
                if (i < plain.Count && named.ContainsKey(parameter))
                    throw new ChatTemplateException($"the macro '{name}' is given '{parameter}' twice");
                inner[parameter] = i < plain.Count ? plain[i] : named.TryGetValue(parameter, out var value) ? value
                    : otherwise is null ? new Undefined(parameter) : otherwise(inner);
            }
            var rest = named.Where(n => n.Key != Caller && !parameters.Exists(p => p.Name == n.Key)).ToList();
            if (rest.Count > 0 && !takesNamed) throw new ChatTemplateException($"the macro '{name}' knows no argument '{rest[0].Key}'");
            if (takesMore) inner[VariableArguments] = new Row(plain.Skip(parameters.Count));
            if (takesNamed) inner[NamedArguments] = AsMap(rest);
            if (named.TryGetValue(Caller, out var caller))
            {
                if (!takesCaller) throw new ChatTemplateException($"the macro '{name}' takes no block; it must use 'caller'");
                inner[Caller] = caller;
            }
            else if (takesCaller && !parameters.Exists(p => p.Name == Caller)) inner[Caller] = new Undefined(Caller);
            return Capture(body, inner);
        };
    }

    private static Map AsMap(IEnumerable<KeyValuePair<string, object?>> entries)
    {
        var map = new Map();
        foreach (var (name, value) in entries) map[name] = value;
        return map;
    }
}
