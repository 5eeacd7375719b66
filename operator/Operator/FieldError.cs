using Graft.Operator.Api;

namespace Graft.Operator;

/// <summary>What is wrong with one field, and what would be right.</summary>
internal sealed record FieldError(string Field, string Message, string Reason = Reasons.InvalidSpec)
{
    public override string ToString() => $"{Field}: {Message}";

    /// <summary>One condition for all of them: the reason of the first, the texts of all.</summary>
    public static (string Reason, string Message) Summary(IReadOnlyList<FieldError> errors) =>
        (errors[0].Reason, string.Join("; ", errors));
}
