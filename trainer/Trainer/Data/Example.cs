using Graft.Modeling;

namespace Graft.Trainer.Data;

/// <summary>One text as the model learns it.</summary>
/// <param name="Ids">Token ids, T of them.</param>
/// <param name="Supervised">
/// T flags: whether predicting this token counts. The first is predicted only where virtual tokens stand before it.
/// </param>
internal record Example(int[] Ids, bool[] Supervised)
{
    public int Length => Ids.Length;

    /// <summary>What counts of it where nothing stands before it.</summary>
    public virtual int SupervisedTokens { get; } = Supervised.Skip(1).Count(s => s);

    /// <summary>Whether predicting the t-th token counts behind that lead.</summary>
    public bool Counts(int t, Lead lead) => Supervised[t] && (t > 0 || lead.Tokens > 0);

    /// <summary>What counts behind that lead.</summary>
    public int SupervisedBehind(Lead lead) => SupervisedTokens + (Length > 0 && Supervised[0] && lead.Tokens > 0 ? 1 : 0);
}

/// <summary>One row to be answered, with the answer that would be right.</summary>
/// <param name="Tokens">Length of the right answer with its end token.</param>
internal sealed record Question(int[] PromptIds, string Answer, int Tokens);
