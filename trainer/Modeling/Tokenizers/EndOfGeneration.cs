namespace Graft.Modeling.Tokenizers;

internal static class EndOfGeneration
{
    /// <summary>Special tokens that end a turn in the chat formats that models are trained on, whatever their files say of an end of text.</summary>
    private static readonly string[] EndOfTurn = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>"];

    /// <param name="named">By the model's own files, <c>generation_config.json</c> among them.</param>
    /// <param name="chats">
    /// It has a chat template. The bare model that one for chats was made of often has the same tokens, and to it they are text.
    /// </param>
    public static IReadOnlySet<int> Ids(IEnumerable<int> named, IEnumerable<AddedToken> added, bool chats) =>
        named.Concat(added.Where(a => chats && a.Special && EndOfTurn.Contains(a.Content)).Select(a => a.Id)).ToHashSet();
}
