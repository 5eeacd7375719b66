namespace Graft.Modeling.Chat;

/// <summary>What <c>loop</c> is inside a loop.</summary>
internal sealed class LoopValue(List<object?> items, int depth, Callable? again)
{
    private object? lastChanged = new Undefined("changed");

    /// <summary>Of the item that the loop is at.</summary>
    public int At { get; set; }

    /// <summary>Runs the loop over other items, where it is marked <c>recursive</c>.</summary>
    public object? Again(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named) => again is null
        ? throw new ChatTemplateException("only a loop marked 'recursive' can be called") : again(arguments, named);

    public object? Attribute(string name, Budget budget) => name switch
    {
        "index" => At + 1L,
        "index0" => (long)At,
        "revindex" => (long)items.Count - At,
        "revindex0" => items.Count - At - 1L,
        "first" => At == 0,
        "last" => At == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => At > 0 ? items[At - 1] : new Undefined("previtem"),
        "nextitem" => At + 1 < items.Count ? items[At + 1] : new Undefined("nextitem"),
        "cycle" => new Callable((a, _) => a.Count == 0 ? throw new ChatTemplateException("loop.cycle needs values") : a[At % a.Count]),
        "changed" => new Callable((a, _) =>
        {
            var values = new Row(a);
            if (lastChanged is Row before && Values.Same(before, values, budget)) return false;
            lastChanged = values;
            return true;
        }),
        _ => new Undefined(name),
    };
}
