using System.Text.Json;
using Graft.Modeling.Files;
using Graft.Modeling.Tokenizers.Reading;

namespace Graft.Modeling.Tokenizers;

/// <summary>The tokenizer's files in a folder of Hugging Face layout.</summary>
internal static class TokenizerFiles
{
    public const string Tokenizer = "tokenizer.json", Config = "tokenizer_config.json", Template = "chat_template.jinja";

    private const string SpecialMap = "special_tokens_map.json", Additional = "additional_special_tokens";

    /// <summary>What transformers calls so, and gives to chat templates.</summary>
    private static readonly string[] SpecialNames =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <exception cref="ModelFormatException">It is missing, not supported, or does not fit the model.</exception>
    public static Tokenizer Read(string folder, ModelConfig config)
    {
        var path = Path.Combine(folder, Tokenizer);
        if (!File.Exists(path)) throw new ModelFormatException(folder, $"holds no {Tokenizer}");
        var definition = TokenizerJson.Read(path);
        var (named, _) = SpecialTokens(folder);
        int? IdOf(string name) => named.TryGetValue(name, out var token)
            ? definition.Added.FirstOrDefault(a => a.Content == token)?.Id ?? definition.Model.Vocabulary.IdOf(token) : null;
        var eos = IdOf("eos_token") ?? (config.EosIds is [var first, ..] ? first : null);
        definition = definition with
        {
            BosId = IdOf("bos_token") ?? config.BosId,
            EosId = eos,
            PadId = IdOf("pad_token") ?? config.PadId,
            EndOfGenerationIds = EndOfGeneration.Ids(eos is { } end ? config.EosIds.Append(end) : config.EosIds,
                definition.Added, ChatTemplateSource(folder) is not null),
        };
        CheckRows(path, definition, config.VocabularySize);
        return new Tokenizer(definition);
    }

    /// <summary>
    /// Added tokens may lie beyond the embedding: Gemma 3's text models share the tokenizer of those that see, whose token for images
    /// they have no row for. Who takes in ids checks them.
    /// </summary>
    private static void CheckRows(string path, TokenizerDefinition definition, int rows)
    {
        var added = definition.Added.Select(a => a.Id).ToHashSet();
        var tokens = definition.Model.Vocabulary.Tokens;
        for (var id = tokens.Count - 1; id >= rows; id--)
        {
            if (tokens[id] is null || added.Contains(id)) continue;
            throw new ModelFormatException(path,
                $"its vocabulary reaches the id {id}, but the model's embedding has only {rows} rows: it belongs to another model");
        }
    }

    /// <summary><c>chat_template.jinja</c>, or what <c>tokenizer_config.json</c> holds; null when there is none.</summary>
    public static ChatTemplate? ReadChatTemplate(string folder)
    {
        if (ChatTemplateSource(folder) is not { } template) return null;
        var (named, additional) = SpecialTokens(folder);
        return ChatTemplates.Parse(template.Path, template.Source, named, additional);
    }

    private static (string Path, string Source)? ChatTemplateSource(string folder)
    {
        var file = Path.Combine(folder, Template);
        if (File.Exists(file))
        {
            FileSizes.Check(file);
            return (file, File.ReadAllText(file));
        }
        var config = Path.Combine(folder, Config);
        if (!File.Exists(config)) return null;
        using var json = Object(config);
        if (!json.RootElement.TryGetProperty("chat_template", out var template)) return null;
        var source = template.ValueKind switch
        {
            JsonValueKind.String => template.GetString(),
            // Several named ones: the one for conversations without tools is called so.
            JsonValueKind.Array => template.EnumerateArray()
                .Where(t => t.ValueKind == JsonValueKind.Object && t.TryGetProperty("name", out var name) && name.ValueEquals("default"))
                .Select(t => t.TryGetProperty("template", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null)
                .FirstOrDefault(),
            _ => null,
        };
        return source is null ? null : (config, source);
    }

    /// <summary>
    /// <c>bos_token</c> and the like by name, and the additional ones: of <c>tokenizer_config.json</c>, and where that says nothing of
    /// <c>special_tokens_map.json</c>. A token is a text, or an object that holds it.
    /// </summary>
    private static (Dictionary<string, string> Named, IReadOnlyList<string> Additional) SpecialTokens(string folder)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        IReadOnlyList<string> additional = [];
        foreach (var path in new[] { Path.Combine(folder, Config), Path.Combine(folder, SpecialMap) })
        {
            if (!File.Exists(path)) continue;
            using var json = Object(path);
            foreach (var name in SpecialNames)
                if (json.RootElement.TryGetProperty(name, out var token) && TextOf(token) is { } text) named.TryAdd(name, text);
            if (additional.Count == 0 && json.RootElement.TryGetProperty(Additional, out var more) && more.ValueKind == JsonValueKind.Array)
                additional = [.. more.EnumerateArray().Select(TextOf).OfType<string>()];
        }
        return (named, additional);
    }

    private static string? TextOf(JsonElement token)
    {
        if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content)) token = content;
        return token.ValueKind == JsonValueKind.String ? token.GetString() : null;
    }

    private static JsonDocument Object(string path)
    {
        var json = ModelConfigReader.Parse(path);
        if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
        json.Dispose();
        throw new ModelFormatException(path, "is no JSON object");
    }
}
