using System.Text;

namespace Graft.Modeling.Chat;

internal sealed partial class TemplateParser
{
    private Statement For()
    {
        var target = Target();
        Expect("in");
        var items = LoopItems();
        var condition = Take("if") ? Parse() : null;
        var recursive = Take("recursive");
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
        var loop = new Loop(target, condition, body, otherwise, recursive);
        return s =>
        {
            s.Budget.Step();
            loop.Run(s, items(s), depth: 0);
            return Flow.Next;
        };
    }

    /// <summary>What a loop runs over; the <c>if</c> behind it is the loop's own.</summary>
    private Expression LoopItems()
    {
        var first = Or();
        if (!Is(TokenKind.Operator, ",")) return first;
        var parts = new List<Expression> { first };
        while (Take(",")) parts.Add(Or());
        return s => new Row(parts.Select(p => p(s)));
    }

    private sealed record Loop(Action<Scope, object?> Target, Expression? Condition, Statement Body, Statement? Otherwise, bool Recursive)
    {
        public void Run(Scope scope, object? over, int depth)
        {
            var items = Values.Items(over, scope.Budget);
            if (Condition is { } wanted) items = scope.Budget.Made([.. items.Where(i => Holds(wanted, scope, i))]);
            if (items.Count == 0)
            {
                Otherwise?.Invoke(new Scope(scope));
                return;
            }
            var loop = new LoopValue(items, depth, Recursive ? (a, _) => Again(scope, a, depth) : null);
            for (var i = 0; i < items.Count; i++)
            {
                scope.Budget.Step();
                loop.At = i;
                var inner = new Scope(scope) { ["loop"] = loop };
                Target(inner, items[i]);
                if (Body(inner) == Flow.Break) break;
            }
        }

        private bool Holds(Expression wanted, Scope scope, object? item)
        {
            scope.Budget.Step();
            var inner = new Scope(scope);
            Target(inner, item);
            return Values.IsTrue(wanted(inner));
        }

        private string Again(Scope scope, IReadOnlyList<object?> arguments, int depth)
        {
            if (arguments.Count != 1) throw new ChatTemplateException("a loop is called with what it shall run over");
            using var level = scope.Budget.Enter();
            var inner = new Scope(scope, new StringBuilder());
            Run(inner, arguments[0], depth + 1);
            return inner.Output.ToString();
        }
    }
}
