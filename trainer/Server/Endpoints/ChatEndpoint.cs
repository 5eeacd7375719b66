using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ServedModels models, TimeProvider clock)
{
    private const string Assistant = "assistant";

    public async Task HandleAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync(context, ServerJson.Plain.ChatRequest);
        var model = models.Resolve(request.Model);
        var facts = models.FactsOf(model);
        var errors = new FieldErrors();
        errors.Require(request.TopLogprobs is null || request.Logprobs == true, "top_logprobs", "can only be given with 'logprobs': true");
        var options = RequestRules.Sampling(request, request.Logprobs == true ? request.TopLogprobs ?? 0 : null, errors);
        var wanted = request.MaxCompletionTokens ?? request.MaxTokens;
        var limit = request.MaxCompletionTokens is null ? "max_tokens" : "max_completion_tokens";
        errors.Require(wanted is null or >= 1, limit, "must be at least 1");
        var prompt = Prompts.OfChat(request, facts, model, errors);
        options = options with { MaxTokens = RequestRules.Room(prompt.Count, wanted, otherwise: null, facts) };

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            var sequence = models.Submit(model, [(prompt, options)], cancel.Token)[0];
            var id = $"chatcmpl-{Guid.NewGuid():N}";
            var created = clock.GetUtcNow().ToUnixTimeSeconds();
            if (request.Streams)
            {
                var shape = new ChatChunk(id, created, model, []);
                await StreamAsync(context.Response, request, shape, sequence, facts.Tokenizer, cancel.Token);
                return;
            }
            var answer = await Answers.CompleteAsync(sequence, cancel.Token);
            var logprobs = request.Logprobs == true ? LogProbFormats.OfChat(answer.LogProbs, facts.Tokenizer) : null;
            var choice = new ChatChoice(0, new ChatResponseMessage(Assistant, answer.Text), logprobs, Answers.Name(answer.Finish));
            await context.Response.WriteAsJsonAsync(
                new ChatResponse(id, created, model, [choice], Usage.Of(sequence.PromptLength, answer.Tokens)),
                ServerJson.Plain.ChatResponse,
                cancellationToken: cancel.Token);
        }
        finally
        {
            await cancel.CancelAsync(); // whatever still runs for nobody
        }
    }

    private static async Task StreamAsync(
        HttpResponse response, ChatRequest request, ChatChunk shape, Sequence sequence, ITokenizer tokenizer, CancellationToken cancel)
    {
        var events = new ServerSentEvents(response, cancel);
        events.Begin();
        var generated = 0;
        try
        {
            await SendAsync(new ChatDelta(Assistant, ""));
            await foreach (var piece in sequence.Pieces.ReadAllAsync(cancel))
            {
                generated++;
                if (piece.Text.Length == 0 && piece.Finish is null && piece.LogProb is null) continue;
                var delta = new ChatDelta(Content: piece.Text.Length == 0 ? null : piece.Text);
                await SendAsync(delta, piece.LogProb, piece.Finish);
            }
            if (request.StreamsUsage)
            {
                await events.SendAsync(shape with { Usage = Usage.Of(sequence.PromptLength, generated) }, ServerJson.Plain.ChatChunk);
            }
        }
        catch (ApiException e)
        {
            await events.SendAsync(e);
        }
        await events.EndAsync();

        Task SendAsync(ChatDelta delta, TokenLogProb? logProb = null, FinishReason? finish = null)
        {
            var logprobs = logProb is null ? null : LogProbFormats.OfChat([logProb], tokenizer);
            var choice = new ChatChunkChoice(0, delta, logprobs, finish is { } reason ? Answers.Name(reason) : null);
            return events.SendAsync(shape with { Choices = [choice] }, ServerJson.Plain.ChatChunk);
        }
    }
}
