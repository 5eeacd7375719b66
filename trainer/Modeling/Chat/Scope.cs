using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>Where a template runs: its variables, what it has written, where the assistant speaks, and what it may still do.</summary>
internal sealed class Scope
{
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);
    private readonly Scope? parent;

    public Scope(Budget budget) => (Budget, Output, Spans) = (budget, new StringBuilder(), []);

    /// <param name="output">Where its text goes; null: where the outer scope's goes.</param>
    public Scope(Scope parent, StringBuilder? output = null)
    {
        this.parent = parent;
        (Budget, Output) = (parent.Budget, output ?? parent.Output);
        // A captured text has no place in the whole yet, so what is marked in it cannot be told.
        Spans = output is null ? parent.Spans : null;
    }

    public Budget Budget { get; }
    public StringBuilder Output { get; }

    /// <summary>[start, end) in UTF-16 units of <see cref="Output"/> of what <c>{% generation %}</c> marks.</summary>
    public List<(int Start, int End)>? Spans { get; }

    public object? this[string name]
    {
        set => values[name] = value;
    }

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.parent)
            if (scope.values.TryGetValue(name, out var value)) return value;
        return new Undefined(name);
    }

    public void Write(string text)
    {
        Budget.Spend(text.Length);
        Output.Append(text);
    }
}
