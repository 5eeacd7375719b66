using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>
/// Where a template runs: its variables, what it has written, and how much it may still do. A template comes with a model
/// from anywhere, so it reaches nothing but its arguments and cannot run or write without end.
/// </summary>
internal sealed class Scope
{
    private const int MostSteps = 1_000_000, MostCharacters = 32 << 20, MostCalls = 100;
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);
    private readonly Scope? parent;
    private readonly Use use;

    public Scope(Scope? parent = null, StringBuilder? output = null)
    {
        this.parent = parent;
        use = parent?.use ?? new Use();
        Output = output ?? parent?.Output ?? new StringBuilder();
    }

    public StringBuilder Output { get; }

    public object? this[string name]
    {
        set => values[name] = value;
    }

    public object? Get(string name) => values.TryGetValue(name, out var value) ? value : parent is null ? new Undefined(name) : parent.Get(name);

    public void Write(string text)
    {
        if (Output.Length + text.Length > MostCharacters) throw new ChatTemplateException($"it writes more than {MostCharacters} characters");
        Output.Append(text);
    }

    /// <summary>Called once for every expression and statement.</summary>
    public void Count()
    {
        if (++use.Steps > MostSteps) throw new ChatTemplateException($"it takes more than {MostSteps} steps");
    }

    /// <summary>A macro begins; they may call themselves only so deeply.</summary>
    public void Enter()
    {
        if (++use.Calls > MostCalls) throw new ChatTemplateException($"its macros call each other more than {MostCalls} deep");
    }

    public void Leave() => use.Calls--;

    private sealed class Use
    {
        public int Steps { get; set; }
        public int Calls { get; set; }
    }
}
