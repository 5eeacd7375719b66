using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>
/// Turns rows into tokens. With a chat template a prompt is the user's turn and its completion the assistant's; without one
/// they are joined, and the end token follows. Loss falls on the answers and the token that ends each of them, or with
/// <see cref="LearnFrom.All"/> on everything; plain text always counts whole.
/// </summary>
/// <remarks>
/// A row becomes tokens as one text, as it will be read once the model is used: pieces encoded by themselves would each begin like a text
/// (SentencePiece's blank before it) and lack the tokens over their borders. A token over the border to an answer is the answer's, as in
/// transformers' mask of the assistant's tokens.
/// </remarks>
/// <param name="template">Null: prompt and completion are joined as they are.</param>
/// <param name="maxLength">Longest example in tokens.</param>
/// <param name="vocabularySize">Rows of the model's embedding; added tokens of a tokenizer may lie beyond.</param>
internal sealed class ExampleEncoder(
    ITokenizer tokenizer, ChatTemplate? template, LearnFrom learnFrom, int maxLength, int vocabularySize) : IRowEncoder
{
    private readonly AnswerEnds ends = new(tokenizer);

    private int EndId { get; } = End(tokenizer, vocabularySize);

    /// <summary>Examples that lost tokens at their end, so far.</summary>
    public int Cut { get; private set; }

    /// <exception cref="RunFailedException">The template refuses the row, or the model has no embedding for a token of it.</exception>
    public IEnumerable<Example> Encode(Sample sample)
    {
        var (ids, supervised) = Tokens(sample);
        CheckIds(ids, sample.Origin);
        if (sample is TextSample { Continuous: true }) return Windows(ids);
        if (ids.Count > maxLength)
        {
            Cut++;
            ids.RemoveRange(maxLength, ids.Count - maxLength);
            supervised.RemoveRange(maxLength, supervised.Count - maxLength);
        }
        if (learnFrom == LearnFrom.All) supervised = [.. Enumerable.Repeat(true, ids.Count)];
        return [new Example([.. ids], [.. supervised])];
    }

    /// <summary>What to ask for a row, and the right answer; null when the row holds no answer (plain text).</summary>
    /// <exception cref="RunFailedException">As <see cref="Encode"/>.</exception>
    public Question? Ask(Sample sample)
    {
        switch (sample)
        {
            case PromptSample row:
                return Question(Prompt(row), row.Completion, Tokens(row).Supervised.Count(s => s), row.Origin);
            case ChatSample chat when chat.Messages[^1].Role == "assistant":
                var before = chat.Messages.Take(chat.Messages.Count - 1).ToList();
                var prompt = tokenizer.Encode(Render(before, generate: true, chat.Origin));
                var answer = chat.Messages[^1].Content;
                return Question(prompt, answer, tokenizer.Encode(answer).Count + 1, chat.Origin);
            default:
                return null;
        }
    }

    private Question Question(IReadOnlyList<int> prompt, string answer, int tokens, Origin origin)
    {
        CheckIds(prompt, origin);
        return new Question([.. prompt], answer, tokens);
    }

    private IReadOnlyList<int> Prompt(PromptSample row) => template is null
        ? tokenizer.Encode(row.Prompt, addSpecialTokens: true)
        : tokenizer.Encode(Render([new ChatMessage("user", row.Prompt)], generate: true, row.Origin));

    private (List<int> Ids, List<bool> Supervised) Tokens(Sample sample)
    {
        switch (sample)
        {
            case PromptSample row:
                return Tokens(row);
            case ChatSample chat:
                return Chat(chat);
            case TextSample text:
                List<int> ids = [.. tokenizer.Encode(text.Text, addSpecialTokens: true), EndId];
                return (ids, [.. Enumerable.Repeat(true, ids.Count)]);
            default:
                throw new InvalidOperationException($"unknown sample {sample.GetType().Name}");
        }
    }

    private (List<int> Ids, List<bool> Supervised) Tokens(PromptSample row)
    {
        // An empty answer teaches nothing but silence; the row is skipped and counted.
        if (string.IsNullOrWhiteSpace(row.Completion))
        {
            var alone = Prompt(row);
            return ([.. alone], [.. alone.Select(_ => false)]);
        }
        if (template is null) return Joined(row.Prompt, row.Completion, addSpecialTokens: true);
        ChatMessage user = new("user", row.Prompt);
        var prompt = Render([user], generate: true, row.Origin);
        var whole = Render([user, new ChatMessage("assistant", row.Completion)], generate: false, row.Origin);
        // A template that rewrites the turn once it is answered (hidden thoughts) leaves the plain form: the answer and its end.
        if (!whole.StartsWith(prompt, StringComparison.Ordinal)) return Joined(prompt, row.Completion);
        var span = ends.Span(whole, prompt.Length);
        return MaskedText.Encode(tokenizer, whole[..span.End], [span], EndId);
    }

    private (List<int> Ids, List<bool> Supervised) Joined(string prompt, string completion, bool addSpecialTokens = false) =>
        MaskedText.Encode(tokenizer, prompt + completion,
            [new AnswerSpan(prompt.Length, prompt.Length + completion.Length, HasEnd: false)], EndId, addSpecialTokens);

    private (List<int> Ids, List<bool> Supervised) Chat(ChatSample chat)
    {
        if (template is { MarksAssistant: true })
        {
            // The template itself says what the assistant wrote, the end of it too.
            var marked = Marked(chat);
            List<AnswerSpan> written = [.. marked.AssistantSpans.Select(s => new AnswerSpan(s.Start, s.End, HasEnd: true))];
            return written.Count == 0 ? ([], []) : MaskedText.Encode(tokenizer, marked.Text[..written[^1].End], written, EndId);
        }
        var text = "";
        var spans = new List<AnswerSpan>();
        for (var i = 0; i < chat.Messages.Count; i++)
        {
            if (chat.Messages[i].Role != "assistant") continue;
            var prompt = Render(chat.Messages.Take(i), generate: true, chat.Origin);
            var whole = Render(chat.Messages.Take(i + 1), generate: false, chat.Origin);
            if (!prompt.StartsWith(text, StringComparison.Ordinal) || !whole.StartsWith(prompt, StringComparison.Ordinal))
                throw Refused(chat.Origin, "the model's chat template rewrites earlier turns; give prompt and completion instead");
            var span = ends.Span(whole, prompt.Length);
            spans.Add(span);
            // What the template writes after the end token belongs to the next turn.
            text = whole[..span.End];
        }
        return MaskedText.Encode(tokenizer, text, spans, EndId);
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

    private void CheckIds(IReadOnlyList<int> ids, Origin origin) => Vocabulary.Check(tokenizer, ids, vocabularySize, origin);

    private static int End(ITokenizer tokenizer, int vocabularySize)
    {
        var id = tokenizer.EosId ?? tokenizer.EndOfGenerationIds.Cast<int?>().FirstOrDefault()
            ?? throw RunFailedException.Model("the tokenizer names no end token; set eos_token in tokenizer_config.json");
        return id < vocabularySize ? id : throw RunFailedException.Model(
            $"the tokenizer's end token has the id {id}, and the model has an embedding for only {vocabularySize}");
    }

    private static RunFailedException Refused(Origin origin, string why) =>
        RunFailedException.Dataset($"{origin.File} line {origin.Line}: {why}");

    private IEnumerable<Example> Windows(List<int> ids)
    {
        for (var start = 0; start + 1 < ids.Count; start += maxLength)
        {
            var window = ids.GetRange(start, Math.Min(maxLength, ids.Count - start)).ToArray();
            if (window.Length > 1) yield return new Example(window, [.. window.Select(_ => true)]);
        }
    }
}
