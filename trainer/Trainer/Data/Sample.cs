using Graft.Modeling;

namespace Graft.Trainer.Data;

/// <param name="File">As the job names it, for messages to people.</param>
/// <param name="Line">From 1; in a CSV file the line on which the row begins.</param>
internal readonly record struct Origin(string File, int Line)
{
    public override string ToString() => $"{File}:{Line}";
}

/// <summary>One row of a dataset as its file gives it.</summary>
internal abstract record Sample(Origin Origin);

internal sealed record PromptSample(Origin Origin, string Prompt, string Completion) : Sample(Origin);

internal sealed record ChatSample(Origin Origin, IReadOnlyList<ChatMessage> Messages) : Sample(Origin);

/// <param name="Label">As the row writes it, but for white space around it.</param>
internal sealed record LabeledSample(Origin Origin, string Text, string Label) : Sample(Origin);

/// <param name="Continuous">A whole text file: learnt in consecutive windows of the longest length, not cut after the first.</param>
internal sealed record TextSample(Origin Origin, string Text, bool Continuous = false) : Sample(Origin);
