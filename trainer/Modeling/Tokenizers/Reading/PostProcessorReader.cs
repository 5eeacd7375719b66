using System.Text.Json;
using Graft.Modeling.Tokenizers.PostProcessors;

namespace Graft.Modeling.Tokenizers.Reading;

internal static class PostProcessorReader
{
    public static PostProcessor Read(JsonPart part)
    {
        var read = ReadKind(part);
        part.RefuseUnknown();
        return read;
    }

    private static PostProcessor ReadKind(JsonPart part)
    {
        switch (part.Text("type"))
        {
            case "Sequence": return new PostProcessorSequence([.. part.Objects("processors").Select(Read)]);
            case "ByteLevel":
                part.Flag("use_regex");
                return new ByteLevelPostProcessor(part.Flag("trim_offsets", true), part.Flag("add_prefix_space", true));
            case "BertProcessing": return TemplateProcessing.Bert(Token(part, "cls"), Token(part, "sep"));
            case "RobertaProcessing":
                return new PostProcessorSequence([
                    new ByteLevelPostProcessor(part.Flag("trim_offsets", true), part.Flag("add_prefix_space", true)),
                    TemplateProcessing.Roberta(Token(part, "cls"), Token(part, "sep"))]);
            case "TemplateProcessing":
                var tokens = SpecialTokens(part);
                return new TemplateProcessing(Template(part, "single", tokens), Template(part, "pair", tokens));
            case var kind: throw part.Bad($"the post-processor '{kind}' is not supported");
        }
    }

    private static (string, int) Token(JsonPart part, string name) => part.Find(name) is { ValueKind: JsonValueKind.Array } pair
        && pair.GetArrayLength() == 2
        && pair[0].ValueKind == JsonValueKind.String && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out var id)
        && id is >= 0 and < ModelReader.MostTokens ? (pair[0].GetString()!, id) : throw part.Bad(name, "is no token with its id");

    private static Dictionary<string, TemplatePiece> SpecialTokens(JsonPart part)
    {
        var tokens = new Dictionary<string, TemplatePiece>(StringComparer.Ordinal);
        if (part.ObjectOr("special_tokens") is not { } all) return tokens;
        foreach (var entry in all.Element.EnumerateObject())
        {
            var token = all.Object(entry.Name);
            int[] ids = [.. token.List("ids")
                .Select(i => i.ValueKind == JsonValueKind.Number && i.TryGetInt32(out var id) && id is >= 0 and < ModelReader.MostTokens
                ? id : throw token.Bad("ids", $"holds {i.GetRawText()}, which is no token id"))];
            string[] texts = [.. token.List("tokens")
                .Select(t => t.ValueKind == JsonValueKind.String ? t.GetString()! : throw token.Bad("tokens", "holds what is no text"))];
            if (ids.Length != texts.Length) throw token.Bad("ids", $"has {ids.Length} entries, but tokens has {texts.Length}");
            tokens[entry.Name] = new TemplatePiece(null, ids, texts, 0);
        }
        return tokens;
    }

    private static List<TemplatePiece> Template(JsonPart part, string name, Dictionary<string, TemplatePiece> tokens)
    {
        var pieces = new List<TemplatePiece>();
        foreach (var item in part.Objects(name))
        {
            if (item.ObjectOr("Sequence") is { } text)
            {
                var which = text.Text("id") switch { "A" => 0, "B" => 1, var other =>
                    throw text.Bad("id", $"is '{other}', neither A nor B") };
                pieces.Add(new TemplatePiece(which, [], [], text.Count("type_id")));
            }
            else if (item.ObjectOr("SpecialToken") is { } token)
            {
                var piece = tokens.GetValueOrDefault(token.Text("id"))
                    ?? throw token.Bad("id", $"is '{token.Text("id")}', which special_tokens lacks");
                pieces.Add(piece with { TypeId = token.Count("type_id") });
            }
            item.RefuseUnknown();
        }
        return pieces;
    }
}
