using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Server.Protocol;

/// <summary>
/// Fields that <c>/v1/completions</c> and <c>/v1/chat/completions</c> share, as OpenAI names them, with vLLM's <c>top_k</c>, <c>min_p</c> and
/// <c>repetition_penalty</c>.
/// Fields that are not listed are ignored, as vLLM does; fields that would change the answer and that this server does not
/// honour are listed so that they can be refused rather than ignored (<see cref="Endpoints.RequestRules"/>).
/// </summary>
internal abstract record GenerationRequest
{
    public string? Model { get; init; }
    public int? MaxTokens { get; init; }
    public double? Temperature { get; init; }
    public double? TopP { get; init; }
    public int? TopK { get; init; }
    public long? Seed { get; init; }
    public int? N { get; init; }

    /// <summary>A string or a list of strings.</summary>
    public JsonElement? Stop { get; init; }
    public bool? Stream { get; init; }
    public StreamOptions? StreamOptions { get; init; }
    public double? PresencePenalty { get; init; }
    public double? FrequencyPenalty { get; init; }
    public double? RepetitionPenalty { get; init; }
    public double? MinP { get; init; }
    public int? BestOf { get; init; }
    public JsonElement? LogitBias { get; init; }
    public JsonElement? ResponseFormat { get; init; }

    [JsonIgnore]
    public bool Streams => Stream ?? false;

    [JsonIgnore]
    public bool StreamsUsage => StreamOptions?.IncludeUsage ?? false;
}

internal sealed record StreamOptions
{
    public bool? IncludeUsage { get; init; }
}

internal sealed record CompletionRequest : GenerationRequest
{
    /// <summary>A string, a list of strings, a list of token ids, or a list of such lists.</summary>
    public JsonElement? Prompt { get; init; }

    /// <summary>How many alternatives to report for each token, besides the one chosen.</summary>
    public int? Logprobs { get; init; }
    public bool? Echo { get; init; }
    public string? Suffix { get; init; }
}

internal sealed record ChatRequest : GenerationRequest
{
    public IReadOnlyList<ChatRequestMessage?>? Messages { get; init; }

    /// <summary>OpenAI's newer name of <c>max_tokens</c>; it wins.</summary>
    public int? MaxCompletionTokens { get; init; }
    public bool? Logprobs { get; init; }
    public int? TopLogprobs { get; init; }
    public JsonElement? Tools { get; init; }
}

internal sealed record ChatRequestMessage
{
    public string? Role { get; init; }

    /// <summary>A string, or a list of parts of which this server takes those of type <c>text</c>.</summary>
    public JsonElement? Content { get; init; }
}
