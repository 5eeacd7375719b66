using System.Text.Json;
using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>From what a request calls its prompt to token ids.</summary>
internal static class Prompts
{
    public const int MaxPrompts = 128;

    /// <param name="prompt">A string, a list of strings, a list of token ids, or a list of such lists.</param>
    public static IReadOnlyList<IReadOnlyList<int>> OfCompletion(JsonElement? prompt, ModelFacts facts, FieldErrors errors)
    {
        if (prompt is not { ValueKind: not JsonValueKind.Null } value)
        {
            errors.Add("prompt", "is missing");
            return [];
        }
        var isList = value.ValueKind == JsonValueKind.Array && value.EnumerateArray().Any(e => e.ValueKind != JsonValueKind.Number);
        JsonElement[] items = isList ? [.. value.EnumerateArray()] : [value];
        if (items.Length > MaxPrompts)
        {
            errors.Add("prompt", $"may have at most {MaxPrompts} prompts");
            return [];
        }
        List<IReadOnlyList<int>> prompts = [];
        foreach (var item in items)
        {
            if (Ids(item, facts, errors) is not { } ids) return [];
            prompts.Add(ids);
        }
        return prompts;
    }

    /// <summary>The conversation as the model's chat template writes it, up to where the assistant's answer begins.</summary>
    public static IReadOnlyList<int> OfChat(ChatRequest request, ModelFacts facts, string modelName, FieldErrors errors)
    {
        if (facts.ChatTemplate is null)
        {
            throw ApiException.BadRequest(
                $"The model '{modelName}' has no chat template, so it takes no chats; use /v1/completions.", "messages");
        }
        var messages = Messages(request.Messages, errors);
        errors.ThrowIfAny();
        try
        {
            // The template writes BOS and the like itself.
            var ids = facts.Tokenizer.Encode(facts.ChatTemplate.Render(messages, addGenerationPrompt: true), addSpecialTokens: false);
            if (Unknown(ids, facts) is { } unknown) errors.Add("messages", unknown);
            errors.ThrowIfAny();
            return ids;
        }
        catch (ChatTemplateException e)
        {
            throw ApiException.BadRequest($"The model's chat template does not take these messages: {e.Message}", "messages");
        }
    }

    private static IReadOnlyList<int>? Ids(JsonElement item, ModelFacts facts, FieldErrors errors)
    {
        if (item.ValueKind == JsonValueKind.String)
        {
            var ids = item.GetString() is { Length: > 0 } text ? facts.Tokenizer.Encode(text, addSpecialTokens: true) : [];
            var problem = ids.Count == 0 ? "must not be empty" : Unknown(ids, facts);
            if (problem is null) return ids;
            errors.Add("prompt", problem);
            return null;
        }
        if (item.ValueKind != JsonValueKind.Array)
        {
            errors.Add("prompt", "must be a string, a list of strings, a list of token ids, or a list of such lists");
            return null;
        }
        List<int> tokens = [];
        foreach (var element in item.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var id) || id < 0 || id >= facts.VocabularySize)
            {
                errors.Add("prompt", $"holds a token id that is no whole number from 0 to {facts.VocabularySize - 1}");
                return null;
            }
            tokens.Add(id);
        }
        if (tokens.Count > 0) return tokens;
        errors.Add("prompt", "must not be empty");
        return null;
    }

    /// <summary>A token of the tokenizer's that the model has no row for (Gemma 3's for images in its text models), or null.</summary>
    private static string? Unknown(IReadOnlyList<int> ids, ModelFacts facts)
    {
        foreach (var id in ids)
        {
            if (id >= facts.VocabularySize)
                return $"holds '{facts.Tokenizer.Decode([id], skipSpecialTokens: false)}', a token that the model does not know";
        }
        return null;
    }

    private static List<ChatMessage> Messages(IReadOnlyList<ChatRequestMessage?>? given, FieldErrors errors)
    {
        errors.Require(given is { Count: > 0 }, "messages", "must hold at least one message");
        List<ChatMessage> messages = [];
        for (var i = 0; i < (given?.Count ?? 0); i++)
        {
            var message = given![i];
            errors.Require(!string.IsNullOrEmpty(message?.Role), $"messages[{i}].role", "is missing");
            var content = Content(message?.Content);
            errors.Require(content is not null, $"messages[{i}].content", "must be a string, or a list of parts of type 'text'");
            messages.Add(new ChatMessage(message?.Role ?? "", content ?? ""));
        }
        return messages;
    }

    private static string? Content(JsonElement? content)
    {
        if (content is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        if (value.ValueKind != JsonValueKind.Array) return null;
        List<string> texts = [];
        foreach (var part in value.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object
                || !part.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || type.GetString() != "text"
                || !part.TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String)
            {
                return null;
            }
            texts.Add(text.GetString()!);
        }
        return string.Join("\n", texts);
    }
}
