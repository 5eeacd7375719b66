using Graft.Modeling.Chat;

namespace Graft.Modeling;

/// <summary>
/// A model's chat template: Jinja as transformers runs it (<c>apply_chat_template</c>), in an interpreter that can reach nothing but
/// its arguments, and that stops a template which would run or write without end.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Statement template;
    private readonly IReadOnlyDictionary<string, string> specialTokens;
    private readonly TimeProvider clock;

    /// <param name="source">The template's text.</param>
    /// <param name="specialTokens">Variables such as <c>bos_token</c>.</param>
    /// <param name="clock">What <c>strftime_now</c> reads; null: the system's.</param>
    /// <exception cref="ChatTemplateException">It cannot be read.</exception>
    public ChatTemplate(string source, IReadOnlyDictionary<string, string>? specialTokens = null, TimeProvider? clock = null)
    {
        Source = source;
        (template, MarksAssistant) = TemplateParser.Read(source);
        this.specialTokens = specialTokens ?? new Dictionary<string, string>();
        this.clock = clock ?? TimeProvider.System;
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>Whether it marks what the assistant wrote, by <c>{% generation %}</c>.</summary>
    public bool MarksAssistant { get; }

    /// <summary>The variable <c>additional_special_tokens</c>, which there is only where there are some.</summary>
    internal IReadOnlyList<string> AdditionalSpecialTokens { get; init; } = [];

    /// <summary>The text that the model was trained to see for this conversation.</summary>
    /// <param name="addGenerationPrompt">Ends where the assistant's next answer begins.</param>
    /// <exception cref="ChatTemplateException">The template refuses the messages, or fails.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        Render(ToValues(messages), addGenerationPrompt, new Dictionary<string, object?>()).Text;

    /// <summary>
    /// A conversation with the places of the assistant's turns: as the template marks them, or else found by rendering the messages
    /// before each turn, with the prompt for it, and those up to it. What a turn adds to its prompt is the assistant's.
    /// </summary>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the messages, or marks no turns and writes earlier ones differently once others follow.
    /// </exception>
    public RenderedChat RenderWithSpans(IReadOnlyList<ChatMessage> messages)
    {
        var whole = Render(ToValues(messages), addGenerationPrompt: false, new Dictionary<string, object?>());
        if (MarksAssistant) return whole;
        var spans = new List<(int, int)>();
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role != "assistant") continue;
            var prompt = Render([.. messages.Take(i)], addGenerationPrompt: true);
            var until = i == messages.Count - 1 ? whole.Text : Render([.. messages.Take(i + 1)], addGenerationPrompt: false);
            if (!until.StartsWith(prompt, StringComparison.Ordinal) || !whole.Text.StartsWith(until, StringComparison.Ordinal))
                throw new ChatTemplateException(
                    $"it writes message {i + 1} differently once others follow, so the assistant's part cannot be told");
            spans.Add((prompt.Length, until.Length));
        }
        return whole with { AssistantSpans = spans };
    }

    /// <summary>With messages of any shape, and further variables.</summary>
    internal RenderedChat Render(List<object?> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, object?> variables)
    {
        var scope = new Scope(new Budget(Size(messages) + variables.Values.Sum(Size)));
        Globals.AddTo(scope, clock);
        foreach (var (name, token) in specialTokens) scope[name] = token;
        if (AdditionalSpecialTokens.Count > 0) scope["additional_special_tokens"] = AdditionalSpecialTokens.ToList<object?>();
        scope["messages"] = messages;
        scope["add_generation_prompt"] = addGenerationPrompt;
        scope["tools"] = null;
        scope["documents"] = null;
        foreach (var (name, value) in variables) scope[name] = value;
        template(scope);
        return new RenderedChat(scope.Output.ToString(), scope.Spans!);
    }

    private static List<object?> ToValues(IReadOnlyList<ChatMessage> messages) =>
        [.. messages.Select(m => (object?)new Map { ["role"] = m.Role, ["content"] = m.Content })];

    private static long Size(object? value) => value switch
    {
        string text => text.Length,
        List<object?> list => list.Sum(Size) + list.Count,
        Map map => map.Sum(p => Size(p.Key) + Size(p.Value)),
        _ => 1,
    };
}

/// <summary>A template that cannot be read, or that refuses the messages it was given.</summary>
public sealed class ChatTemplateException(string message) : Exception(message);
