namespace Graft.Trainer.Data;

/// <summary>One text as the model learns it.</summary>
/// <param name="Ids">Token ids, T of them.</param>
/// <param name="Supervised">T flags: whether predicting this token counts. The first never does, nothing comes before it.</param>
internal sealed record Example(int[] Ids, bool[] Supervised)
{
    public int Length => Ids.Length;
    public int SupervisedTokens { get; } = Supervised.Count(s => s);
}

/// <summary>One row to be answered, with the answer that would be right.</summary>
/// <param name="Tokens">Length of the right answer with its end token.</param>
internal sealed record Question(int[] PromptIds, string Answer, int Tokens);
