using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionEndpoint(ServedModels models, TimeProvider clock)
{
    /// <summary>OpenAI's default of <c>max_tokens</c>.</summary>
    private const int DefaultMaxTokens = 16;

    public async Task HandleAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync(context, ServerJson.Plain.CompletionRequest);
        var model = models.Resolve(request.Model);
        var facts = models.FactsOf(model);
        var errors = new FieldErrors();
        var options = RequestRules.Sampling(request, request.Logprobs, errors);
        errors.Require(request.MaxTokens is null or >= 1, "max_tokens", "must be at least 1");
        var prompts = Prompts.OfCompletion(request.Prompt, facts, errors);
        errors.ThrowIfAny();

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            int Room(IReadOnlyList<int> prompt) => RequestRules.Room(prompt.Count, request.MaxTokens, DefaultMaxTokens, facts);
            var sequences = models.Submit(model, [.. prompts.Select(p => (p, options with { MaxTokens = Room(p) }))], cancel.Token);
            var shape = new CompletionResponse($"cmpl-{Guid.NewGuid():N}", clock.GetUtcNow().ToUnixTimeSeconds(), model, []);
            if (request.Streams) await StreamAsync(context.Response, request, shape, sequences, facts.Tokenizer, cancel.Token);
            else await AnswerAsync(context.Response, request, shape, sequences, facts.Tokenizer, cancel.Token);
        }
        finally
        {
            await cancel.CancelAsync(); // whatever still runs for nobody
        }
    }

    private static async Task AnswerAsync(
        HttpResponse response, CompletionRequest request, CompletionResponse shape, IReadOnlyList<Sequence> sequences,
        ITokenizer tokenizer, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(sequences.Select(s => Answers.CompleteAsync(s, cancel)));
        CompletionLogprobs? LogProbs(Answer a) => request.Logprobs is null ? null : LogProbFormats.OfCompletion(a.LogProbs, tokenizer);
        var body = shape with
        {
            Choices = [.. answers.Select((a, i) => new CompletionChoice(i, a.Text, LogProbs(a), Answers.Name(a.Finish)))],
            Usage = Usage.Of(sequences.Sum(s => s.PromptLength), answers.Sum(a => a.Tokens)),
        };
        await response.WriteAsJsonAsync(body, ServerJson.Plain.CompletionResponse, cancellationToken: cancel);
    }

    private static async Task StreamAsync(
        HttpResponse response, CompletionRequest request, CompletionResponse shape, IReadOnlyList<Sequence> sequences,
        ITokenizer tokenizer, CancellationToken cancel)
    {
        var events = new ServerSentEvents(response, cancel);
        events.Begin();
        var offsets = new int[sequences.Count];
        var generated = 0;
        try
        {
            await foreach (var (index, piece) in Answers.MergeAsync(sequences, cancel))
            {
                generated++;
                if (piece.Text.Length == 0 && piece.Finish is null && piece.LogProb is null) continue;
                CompletionLogprobs? logprobs = null;
                if (piece.LogProb is not null)
                {
                    logprobs = LogProbFormats.OfCompletion([piece.LogProb], tokenizer, offsets[index]);
                    offsets[index] += logprobs.Tokens[0].Length;
                }
                var choice = new CompletionChoice(index, piece.Text, logprobs, piece.Finish is { } finish ? Answers.Name(finish) : null);
                await events.SendAsync(shape with { Choices = [choice] }, ServerJson.Plain.CompletionResponse);
            }
            if (request.StreamsUsage)
            {
                var usage = Usage.Of(sequences.Sum(s => s.PromptLength), generated);
                await events.SendAsync(shape with { Usage = usage }, ServerJson.Plain.CompletionResponse);
            }
        }
        catch (ApiException e)
        {
            await events.SendAsync(e);
        }
        await events.EndAsync();
    }
}
