namespace Graft.Modeling;

internal static class ChatTemplates
{
    /// <summary>A template from a file of the model; an error in it names that file.</summary>
    public static ChatTemplate Parse(
        string path, string source, IReadOnlyDictionary<string, string> specialTokens, IReadOnlyList<string>? additional = null)
    {
        try
        {
            return new ChatTemplate(source, specialTokens) { AdditionalSpecialTokens = additional ?? [] };
        }
        catch (ChatTemplateException e)
        {
            throw new ModelFormatException(path, $"its chat template cannot be read: {e.Message}", e);
        }
    }
}
