using System.Text.Json.Serialization;

namespace Graft.Server.Protocol;

internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens)
{
    public static Usage Of(int prompt, int completion) => new(prompt, completion, prompt + completion);
}

/// <summary>Answer of <c>/v1/completions</c>, and each chunk of its stream (<c>object</c> is the same for both).</summary>
internal sealed record CompletionResponse(
    string Id,
    long Created,
    string Model,
    IReadOnlyList<CompletionChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Usage? Usage = null)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "text_completion";
}

internal sealed record CompletionChoice(int Index, string Text, CompletionLogprobs? Logprobs, string? FinishReason);

/// <param name="TextOffset">Where each token's text begins in the choice's text, in characters.</param>
internal sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<double> TokenLogprobs,
    IReadOnlyList<IReadOnlyDictionary<string, double>> TopLogprobs,
    IReadOnlyList<int> TextOffset);

/// <summary>Answer of <c>/v1/chat/completions</c>.</summary>
internal sealed record ChatResponse(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "chat.completion";
}

internal sealed record ChatChoice(int Index, ChatResponseMessage Message, ChatLogprobs? Logprobs, string? FinishReason);

internal sealed record ChatResponseMessage(string Role, string Content);

internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content);

internal sealed record ChatTokenLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTopLogprob> TopLogprobs);

internal sealed record ChatTopLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes);

/// <summary>A chunk of a chat stream.</summary>
internal sealed record ChatChunk(
    string Id,
    long Created,
    string Model,
    IReadOnlyList<ChatChunkChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Usage? Usage = null)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "chat.completion.chunk";
}

internal sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogprobs? Logprobs, string? FinishReason);

internal sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null);

/// <summary>Answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";
}

/// <param name="Root">The base's name, or the path that an adapter was loaded from: what is really served can be read back here.</param>
/// <param name="Parent">The base's name, for an adapter.</param>
internal sealed record ModelCard(string Id, long Created, string Root, string? Parent, int MaxModelLen)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "model";
    public string OwnedBy { get; } = "graft";
}

/// <summary>The body of every error, in vLLM's and OpenAI's shape.</summary>
internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(string Message, string Type, string? Param, int Code);
