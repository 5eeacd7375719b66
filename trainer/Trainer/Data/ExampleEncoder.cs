using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>
/// Turns rows into tokens. With a chat template a prompt is the user's turn and its completion the assistant's; without one
/// they are joined, and the end token follows. Loss falls on the answers and the token that ends each of them, or with
/// <see cref="LearnFrom.All"/> on everything; plain text always counts whole.
/// </summary>
/// <param name="template">Null: prompt and completion are joined as they are.</param>
/// <param name="maxLength">Longest example in tokens.</param>
internal sealed class ExampleEncoder(ITokenizer tokenizer, ChatTemplate? template, LearnFrom learnFrom, int maxLength)
{
    private int EndId { get; } = tokenizer.EosId ?? tokenizer.EndOfGenerationIds.Cast<int?>().FirstOrDefault()
        ?? throw RunFailedException.Model("the tokenizer names no end token; set eos_token in tokenizer_config.json");

    /// <summary>Examples that lost tokens at their end, so far.</summary>
    public int Cut { get; private set; }

    public IEnumerable<Example> Encode(Sample sample)
    {
        var (ids, supervised) = Tokens(sample);
        if (sample is TextSample { Continuous: true }) return Windows(ids);
        if (ids.Count > maxLength)
        {
            Cut++;
            ids.RemoveRange(maxLength, ids.Count - maxLength);
            supervised.RemoveRange(maxLength, supervised.Count - maxLength);
        }
        if (learnFrom == LearnFrom.All) supervised = [.. Enumerable.Repeat(true, ids.Count)];
        if (supervised.Count > 0) supervised[0] = false;
        return [new Example([.. ids], [.. supervised])];
    }

    /// <summary>What to ask for a row, and the right answer; null when the row holds no answer (plain text).</summary>
    public Question? Ask(Sample sample)
    {
        switch (sample)
        {
            case PromptSample row:
                return new Question([.. Prompt(row.Prompt)], row.Completion, Completion(row).Count);
            case ChatSample chat when chat.Messages[^1].Role == "assistant":
                var before = chat.Messages.Take(chat.Messages.Count - 1).ToList();
                var prompt = tokenizer.Encode(Render(before, generate: true, chat.Origin));
                return new Question([.. prompt], chat.Messages[^1].Content, tokenizer.Encode(chat.Messages[^1].Content).Count + 1);
            default:
                return null;
        }
    }

    private (List<int> Ids, List<bool> Supervised) Tokens(Sample sample)
    {
        switch (sample)
        {
            case PromptSample row:
                var prompt = Prompt(row.Prompt);
                var completion = Completion(row);
                return ([.. prompt, .. completion], [.. prompt.Select(_ => false), .. completion.Select(_ => true)]);
            case ChatSample chat:
                return Chat(chat);
            case TextSample text:
                List<int> ids = [.. tokenizer.Encode(text.Text, addSpecialTokens: true), EndId];
                return (ids, [.. Enumerable.Repeat(true, ids.Count)]);
            default:
                throw new InvalidOperationException($"unknown sample {sample.GetType().Name}");
        }
    }

    private IReadOnlyList<int> Prompt(string prompt) => template is null
        ? tokenizer.Encode(prompt, addSpecialTokens: true)
        : tokenizer.Encode(template.Render([new ChatMessage("user", prompt)], addGenerationPrompt: true));

    private List<int> Completion(PromptSample row)
    {
        // An empty answer teaches nothing but silence; the row is skipped and counted.
        if (string.IsNullOrWhiteSpace(row.Completion)) return [];
        if (template is null) return [.. tokenizer.Encode(row.Completion), EndId];
        ChatMessage user = new("user", row.Prompt);
        var prompt = Render([user], generate: true, row.Origin);
        var whole = Render([user, new ChatMessage("assistant", row.Completion)], generate: false, row.Origin);
        // A template that rewrites the turn once it is answered (hidden thoughts) leaves the plain form: the answer and its end.
        if (!whole.StartsWith(prompt, StringComparison.Ordinal)) return [.. tokenizer.Encode(row.Completion), EndId];
        return Answer(whole[prompt.Length..]);
    }

    /// <summary>
    /// The tokens of an answer up to the token that ends it; a template may add a line break after that, which nobody generates.
    /// </summary>
    private List<int> Answer(string rendered)
    {
        List<int> ids = [.. tokenizer.Encode(rendered)];
        var end = ids.FindLastIndex(tokenizer.EndOfGenerationIds.Contains);
        if (end < 0) ids.Add(EndId);
        else ids.RemoveRange(end + 1, ids.Count - end - 1);
        return ids;
    }

    private (List<int> Ids, List<bool> Supervised) Chat(ChatSample chat)
    {
        var ids = new List<int>();
        var supervised = new List<bool>();
        if (template is { MarksAssistant: true })
        {
            // The template itself says what the assistant wrote.
            var (text, at) = (Marked(chat), 0);
            foreach (var (start, end) in text.AssistantSpans)
            {
                Append(tokenizer.Encode(text.Text[at..start]), learn: false);
                Append(tokenizer.Encode(text.Text[start..end]), learn: true);
                at = end;
            }
            return (ids, supervised);
        }
        var done = "";
        for (var i = 0; i < chat.Messages.Count; i++)
        {
            if (chat.Messages[i].Role != "assistant") continue;
            var prompt = Render(chat.Messages.Take(i), generate: true, chat.Origin);
            var whole = Render(chat.Messages.Take(i + 1), generate: false, chat.Origin);
            if (!prompt.StartsWith(done, StringComparison.Ordinal) || !whole.StartsWith(prompt, StringComparison.Ordinal))
                throw Refused(chat.Origin, "the model's chat template rewrites earlier turns; give prompt and completion instead");
            Append(tokenizer.Encode(prompt[done.Length..]), learn: false);
            var answer = Answer(whole[prompt.Length..]);
            Append(answer, learn: true);
            // What the template writes after the end token belongs to the next turn; whole minus the answer's own text.
            done = whole[..(prompt.Length + LengthOf(whole[prompt.Length..], answer))];
        }
        return (ids, supervised);

        void Append(IEnumerable<int> tokens, bool learn)
        {
            foreach (var id in tokens)
            {
                ids.Add(id);
                supervised.Add(learn);
            }
        }
    }

    /// <summary>
    /// Characters of <paramref name="rendered"/> that <paramref name="answer"/> covers: all up to the end of the last end token.
    /// </summary>
    private int LengthOf(string rendered, List<int> answer)
    {
        var end = tokenizer.Decode([answer[^1]], skipSpecialTokens: false);
        var at = rendered.LastIndexOf(end, StringComparison.Ordinal);
        return at < 0 ? rendered.Length : at + end.Length;
    }

    private RenderedChat Marked(ChatSample chat)
    {
        try
        {
            return template!.RenderWithSpans(chat.Messages);
        }
        catch (ChatTemplateException e)
        {
            throw Refused(chat.Origin, $"the model's chat template refuses the messages: {e.Message}");
        }
    }

    private string Render(IEnumerable<ChatMessage> messages, bool generate, Origin origin)
    {
        if (template is null)
            throw Refused(origin, "the model has no chat template for messages; give prompt and completion instead");
        try
        {
            return template.Render([.. messages], generate);
        }
        catch (ChatTemplateException e)
        {
            throw Refused(origin, $"the model's chat template refuses the messages: {e.Message}");
        }
    }

    private static RunFailedException Refused(Origin origin, string why) =>
        RunFailedException.Dataset($"{origin.File} line {origin.Line}: {why}");

    private IEnumerable<Example> Windows(List<int> ids)
    {
        for (var start = 0; start + 1 < ids.Count; start += maxLength)
        {
            var window = ids.GetRange(start, Math.Min(maxLength, ids.Count - start)).ToArray();
            if (window.Length > 1) yield return new Example(window, [.. window.Select((_, i) => i > 0)]);
        }
    }
}
