namespace Graft.Modeling.Tokenizers.PostProcessors;

/// <summary>A place in a template: one of the texts (0 or 1), or tokens put in.</summary>
internal sealed record TemplatePiece(int? Text, IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, int TypeId);

/// <summary>Puts tokens around the texts as a template says, one for a single text and one for a pair.</summary>
internal sealed class TemplateProcessing(IReadOnlyList<TemplatePiece> single, IReadOnlyList<TemplatePiece> pair) : PostProcessor
{
    /// <summary>BertProcessing: <c>[CLS] A [SEP] B [SEP]</c>.</summary>
    public static TemplateProcessing Bert((string Token, int Id) cls, (string Token, int Id) sep) => new(
        [Put(cls, 0), Text(0, 0), Put(sep, 0)], [Put(cls, 0), Text(0, 0), Put(sep, 0), Text(1, 1), Put(sep, 1)]);

    /// <summary>RobertaProcessing: <c>&lt;s&gt; A &lt;/s&gt; &lt;/s&gt; B &lt;/s&gt;</c>, all of type 0.</summary>
    public static TemplateProcessing Roberta((string Token, int Id) cls, (string Token, int Id) sep) => new(
        [Put(cls, 0), Text(0, 0), Put(sep, 0)], [Put(cls, 0), Text(0, 0), Put(sep, 0), Put(sep, 0), Text(1, 0), Put(sep, 0)]);

    public override List<EncodedPart> Apply(List<EncodedPart> parts, bool addSpecialTokens)
    {
        var made = new List<EncodedPart>();
        foreach (var piece in parts.Count == 2 ? pair : single)
        {
            if (piece.Text is not { } text)
            {
                if (addSpecialTokens) made.Add(EncodedPart.Special(piece.Ids, piece.Tokens, piece.TypeId));
            }
            else if (text < parts.Count)
            {
                made.Add(parts[text] with { TypeId = piece.TypeId });
            }
        }
        return made;
    }

    private static TemplatePiece Text(int text, int type) => new(text, [], [], type);

    private static TemplatePiece Put((string Token, int Id) token, int type) => new(null, [token.Id], [token.Token], type);
}
