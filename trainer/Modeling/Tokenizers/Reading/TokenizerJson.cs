using System.Text.Json;
using Graft.Modeling.Tokenizers.Models;

namespace Graft.Modeling.Tokenizers.Reading;

/// <summary>Reads <c>tokenizer.json</c> of Hugging Face's tokenizers. What it names and is not known here is refused by name.</summary>
internal static class TokenizerJson
{
    private const int LongestAddedToken = 4096;

    /// <exception cref="ModelFormatException">It cannot be read, or uses what is not supported.</exception>
    public static TokenizerDefinition Read(string path)
    {
        using var json = ModelConfigReader.Parse(path);
        return Read(path, json.RootElement);
    }

    /// <param name="source">The file, for messages.</param>
    /// <exception cref="ModelFormatException">It uses what is not supported.</exception>
    public static TokenizerDefinition Read(string source, JsonElement json)
    {
        try
        {
            return Read(new JsonPart(source, "", json));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or ArgumentException)
        {
            throw new ModelFormatException(source, $"is no tokenizer.json as it should be: {e.Message}", e);
        }
    }

    private static TokenizerDefinition Read(JsonPart root)
    {
        var model = ModelReader.Read(root.Object("model"));
        var definition = new TokenizerDefinition
        {
            Model = model,
            Normalizer = root.ObjectOr("normalizer") is { } normalizer ? NormalizerReader.Read(normalizer) : null,
            PreTokenizer = root.ObjectOr("pre_tokenizer") is { } pre ? PreTokenizerReader.Read(pre) : null,
            PostProcessor = root.ObjectOr("post_processor") is { } post ? PostProcessorReader.Read(post) : null,
            Decoder = root.ObjectOr("decoder") is { } decoder ? DecoderReader.Read(decoder) : null,
            Added = root.Find("added_tokens") is null ? [] : Added(root, model.Vocabulary),
            Truncation = root.ObjectOr("truncation") is { } truncation ? ReadTruncation(truncation) : null,
            Padding = root.ObjectOr("padding") is { } padding ? ReadPadding(padding) : null,
        };
        root.RefuseUnknown("version");
        return definition;
    }

    private static List<AddedToken> Added(JsonPart root, Vocabulary vocabulary)
    {
        var added = new List<AddedToken>();
        foreach (var token in root.Objects("added_tokens"))
        {
            var content = token.Text("content");
            if (content.Length > LongestAddedToken) throw token.Bad("content",
                $"has {content.Length} characters; at most {LongestAddedToken} are allowed");
            var id = token.Count("id");
            if (id >= ModelReader.MostTokens) throw token.Bad("id", $"is {id}; ids from 0 to {ModelReader.MostTokens - 1} are possible");
            // A token of the model keeps the model's id, whatever is said here.
            added.Add(new AddedToken(vocabulary.IdOf(content) ?? id, content, token.Flag("special"), token.Flag("single_word"),
                token.Flag("lstrip"),
                token.Flag("rstrip"), token.Flag("normalized", !token.Flag("special"))));
            token.RefuseUnknown();
        }
        return added;
    }

    private static Truncation ReadTruncation(JsonPart part)
    {
        // How much the parts cut off overlap; they are not given.
        part.Number("stride");
        var left = Direction(part);
        var read = new Truncation(part.Count("max_length"), part.Choice<TruncationStrategy>("strategy", TruncationStrategy.LongestFirst),
            left);
        part.RefuseUnknown();
        return read;
    }

    private static Padding ReadPadding(JsonPart part)
    {
        int? length = null;
        if (part.Find("strategy") is { ValueKind: JsonValueKind.Object }) length = part.Object("strategy").Count("Fixed");
        else if (part.Text("strategy") is var strategy and not "BatchLongest") throw part.Bad("strategy",
            $"is '{strategy}'; supported: BatchLongest, Fixed");
        if (length > ModelReader.MostTokens) throw part.Bad("strategy", $"fills up to {length} tokens");
        var multiple = part.Number("pad_to_multiple_of");
        if (multiple is < 0 or > ModelReader.MostTokens) throw part.Bad("pad_to_multiple_of", $"is {multiple}");
        var read = new Padding(length, multiple, Direction(part), part.Count("pad_id"), part.Count("pad_type_id"), part.Text("pad_token"));
        part.RefuseUnknown();
        return read;
    }

    private static bool Direction(JsonPart part) => part.TextOr("direction", "Right") switch
    {
        "Left" => true, "Right" => false, var other => throw part.Bad("direction", $"is '{other}', neither Left nor Right"),
    };
}
