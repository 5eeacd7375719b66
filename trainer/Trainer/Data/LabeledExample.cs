namespace Graft.Trainer.Data;

/// <summary>One text with what it is.</summary>
/// <param name="Label">Row of the head.</param>
internal sealed record LabeledExample(int[] Ids, int Label) : Example(Ids, new bool[Ids.Length])
{
    /// <summary>One: the label, for which the whole text counts.</summary>
    public override int SupervisedTokens => 1;
}
