namespace Graft.Modeling.Tokenizers;

internal static class EndOfGeneration
{
    /// <summary>Special tokens that end a turn in the chat formats that models are trained on, whatever their files say of an end of text.</summary>
    private static readonly string[] EndOfTurn = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>"];

    public static IReadOnlySet<int> Ids(IEnumerable<int> named, IEnumerable<AddedToken> added) =>
        named.Concat(added.Where(a => a.Special && EndOfTurn.Contains(a.Content)).Select(a => a.Id)).ToHashSet();
}
