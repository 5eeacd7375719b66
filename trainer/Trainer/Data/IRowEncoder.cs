namespace Graft.Trainer.Data;

/// <summary>Turns rows into what a model learns.</summary>
internal interface IRowEncoder
{
    /// <summary>Examples that lost tokens at their end, so far.</summary>
    int Cut { get; }

    /// <exception cref="Runs.RunFailedException">The row cannot be learnt.</exception>
    IEnumerable<Example> Encode(Sample sample);

    /// <summary>What to ask for a row, and the right answer; null when it is not answered in text.</summary>
    Question? Ask(Sample sample);
}
