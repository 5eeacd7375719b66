namespace Graft.Runtime;

/// <summary>A type cannot be a custom resource; the message has one line for each problem, with the field's path.</summary>
public sealed class SchemaException(string type, IReadOnlyList<string> problems) : Exception(
    $"{type} cannot be made a custom resource definition:\n  {string.Join("\n  ", problems)}")
{
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>
/// Bounds of what states none itself. Everything is bounded: the server estimates the cost of CEL rules from the largest object that
/// the schema allows, and refuses the definition when that is too much.
/// </summary>
public sealed record SchemaOptions
{
    public int MaxLength { get; init; } = 4096;

    public int MaxItems { get; init; } = 64;

    public int MaxProperties { get; init; } = 64;
}
