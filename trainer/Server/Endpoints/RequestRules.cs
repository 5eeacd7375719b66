using System.Security.Cryptography;
using System.Text.Json;
using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>From the fields of a request to what the engine is asked. Defaults are OpenAI's.</summary>
internal static class RequestRules
{
    public const int MaxStopStrings = 16;
    public const int MaxStopLength = 1024;
    public const int MaxLogProbs = 20;

    /// <summary>Checks what does not depend on the prompt; <see cref="Room"/> gives <see cref="SamplingOptions.MaxTokens"/>.</summary>
    public static SamplingOptions Sampling(GenerationRequest request, int? topLogProbs, FieldErrors errors)
    {
        errors.Require(request.Temperature is null or (>= 0 and <= 100), "temperature", "must be a number from 0 to 100");
        errors.Require(request.TopP is null or (> 0 and <= 1), "top_p", "must be a number above 0 and at most 1");
        errors.Require(request.TopK is null or >= -1, "top_k", "must be -1 or 0 (all), or a count of tokens");
        errors.Require(request.MinP is null or (>= 0 and <= 1), "min_p", "must be a number from 0 to 1");
        errors.Require(
            request.RepetitionPenalty is null or (> 0 and <= 100), "repetition_penalty", "must be a number above 0 and at most 100");
        errors.Require(request.N is null or 1, "n", "must be 1: one answer a prompt");
        errors.Require(topLogProbs is null or (>= 0 and <= MaxLogProbs), "logprobs", $"must report at most {MaxLogProbs} alternatives");
        errors.Require(request.StreamOptions is null || request.Streams, "stream_options", "can only be given with 'stream': true");
        Unsupported(request, errors);
        return new SamplingOptions(
            Temperature: request.Temperature ?? 1,
            TopP: request.TopP ?? 1,
            TopK: Math.Max(request.TopK ?? 0, 0),
            Seed: request.Seed ?? BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)),
            Stop: Stop(request.Stop, errors),
            TopLogProbs: topLogProbs,
            MinP: request.MinP ?? 0,
            RepetitionPenalty: request.RepetitionPenalty ?? 1);
    }

    /// <summary>How many tokens a prompt's answer may have.</summary>
    /// <param name="wanted">What the request says, or null.</param>
    /// <param name="otherwise">What is taken when it says nothing, as far as there is room; null: all the room.</param>
    /// <exception cref="ApiException">400: the prompt, or the prompt and what is wanted, are longer than the model takes.</exception>
    public static int Room(int prompt, int? wanted, int? otherwise, ModelFacts facts)
    {
        var room = facts.MaxLength - prompt;
        if (room < 1 || wanted > room)
        {
            throw ApiException.BadRequest(
                $"This model's maximum context length is {facts.MaxLength} tokens. The prompt has {prompt}"
                + (wanted is null ? ", which leaves no room for an answer." : $" and up to {wanted} are asked for the answer.")
                + " Send a shorter prompt or ask for fewer tokens.",
                room < 1 ? "prompt" : "max_tokens");
        }
        return wanted ?? Math.Min(otherwise ?? room, room);
    }

    // What would give another answer than the one asked for is refused; OpenAI's defaults of the same fields pass.
    private static void Unsupported(GenerationRequest request, FieldErrors errors)
    {
        const string rule = "is not supported by this server";
        errors.Require(request.PresencePenalty is null or 0, "presence_penalty", rule);
        errors.Require(request.FrequencyPenalty is null or 0, "frequency_penalty", rule);
        errors.Require(request.BestOf is null or 1, "best_of", rule);
        errors.Require(IsEmpty(request.LogitBias), "logit_bias", rule);
        errors.Require(IsEmpty(request.ResponseFormat) || IsText(request.ResponseFormat!.Value), "response_format", rule);
        if (request is CompletionRequest completion)
        {
            errors.Require(completion.Echo is not true, "echo", rule);
            errors.Require(string.IsNullOrEmpty(completion.Suffix), "suffix", rule);
        }
        if (request is ChatRequest chat) errors.Require(IsEmpty(chat.Tools), "tools", rule);
    }

    private static bool IsEmpty(JsonElement? value) => value is null || value.Value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => true,
        JsonValueKind.Object => value.Value.GetPropertyCount() == 0,
        JsonValueKind.Array => value.Value.GetArrayLength() == 0,
        _ => false,
    };

    private static bool IsText(JsonElement format) =>
        format.ValueKind == JsonValueKind.Object
        && format.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "text";

    private static List<string> Stop(JsonElement? value, FieldErrors errors)
    {
        const string rule = "must be a string or a list of strings, none of them empty";
        List<string> stop = [];
        foreach (var item in Items(value))
        {
            if (item.ValueKind != JsonValueKind.String || item.GetString() is not { Length: > 0 } text)
            {
                errors.Add("stop", rule);
                return [];
            }
            stop.Add(text);
        }
        var fits = stop.Count <= MaxStopStrings && stop.All(s => s.Length <= MaxStopLength);
        errors.Require(fits, "stop", $"may have at most {MaxStopStrings} strings of at most {MaxStopLength} characters");
        return stop;
    }

    private static IEnumerable<JsonElement> Items(JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        { } single => [single],
    };
}
