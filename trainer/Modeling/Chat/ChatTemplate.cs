using Graft.Modeling.Chat;

namespace Graft.Modeling;

/// <summary>
/// A model's chat template: Jinja, run in an interpreter that can reach nothing but its arguments, and that stops a template
/// which would run or write without end.
/// </summary>
public sealed class ChatTemplate
{
    private const long LongestRange = 100_000;
    private readonly Statement template;
    private readonly IReadOnlyDictionary<string, string> specialTokens;

    /// <param name="source">The template's text.</param>
    /// <param name="specialTokens">Variables such as <c>bos_token</c>.</param>
    /// <exception cref="ChatTemplateException">It cannot be read.</exception>
    public ChatTemplate(string source, IReadOnlyDictionary<string, string>? specialTokens = null)
    {
        Source = source;
        template = TemplateParser.Read(source);
        this.specialTokens = specialTokens ?? new Dictionary<string, string>();
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>The text that the model was trained to see for this conversation.</summary>
    /// <param name="addGenerationPrompt">Ends where the assistant's next answer begins.</param>
    /// <exception cref="ChatTemplateException">The template refuses the messages, or fails.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        Render([.. messages.Select(m => (object?)new Map { ["role"] = m.Role, ["content"] = m.Content })], addGenerationPrompt, new Dictionary<string, object?>());

    /// <summary>With messages of any shape, and further variables.</summary>
    internal string Render(List<object?> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, object?> variables)
    {
        var scope = new Scope();
        foreach (var (name, token) in specialTokens) scope[name] = token;
        scope["raise_exception"] = new Callable((a, _) => throw new ChatTemplateException(a.Count > 0 ? Values.Text(a[0]) : "the template refuses these messages"));
        scope["namespace"] = new Callable(MakeNamespace);
        scope["range"] = new Callable((a, _) => Range(a));
        scope["dict"] = new Callable((_, named) => named.Aggregate(new Map(), (map, pair) =>
        {
            map[pair.Key] = pair.Value;
            return map;
        }));
        scope["messages"] = messages;
        scope["add_generation_prompt"] = addGenerationPrompt;
        scope["tools"] = null;
        scope["documents"] = null;
        foreach (var (name, value) in variables) scope[name] = value;
        template(scope);
        return scope.Output.ToString();
    }

    private static Namespace MakeNamespace(IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var space = new Namespace();
        if (arguments is [Map map])
            foreach (var (key, value) in map) space.Values[Values.Text(key)] = value;
        foreach (var (name, value) in named) space.Values[name] = value;
        return space;
    }

    private static List<object?> Range(IReadOnlyList<object?> arguments)
    {
        var numbers = arguments.Select(Values.Long).ToList();
        var (from, to, step) = numbers.Count switch
        {
            1 => (0, numbers[0], 1),
            2 => (numbers[0], numbers[1], 1),
            3 when numbers[2] != 0 => (numbers[0], numbers[1], numbers[2]),
            _ => throw new ChatTemplateException("range takes one to three numbers, and a step that is not zero"),
        };
        var items = new List<object?>();
        for (var i = from; step > 0 ? i < to : i > to; i += step)
        {
            if (items.Count >= LongestRange) throw new ChatTemplateException($"a range has more than {LongestRange} numbers");
            items.Add(i);
        }
        return items;
    }
}

/// <summary>A template that cannot be read, or that refuses the messages it was given.</summary>
public sealed class ChatTemplateException(string message) : Exception(message);
