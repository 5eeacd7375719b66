namespace Graft.Modeling;

/// <summary>Options of a method that do not fit the model; one entry for each problem, naming the field.</summary>
public sealed class TuningException(IReadOnlyList<string> problems) : Exception(string.Join(" ", problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}
