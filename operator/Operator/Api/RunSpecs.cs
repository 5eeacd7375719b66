using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record RetriesSpec
{
    [DefaultValue(Json = """{"limit": 3}"""), Description("The machine's fault: a node lost, a port in use, a process killed.")]
    public RetryLimitSpec Infrastructure { get; init; } = new();
}

internal sealed record RetryLimitSpec
{
    [DefaultValue(3), RangeMinimum(0), RangeMaximum(10), Description("Further attempts after the first.")]
    public int Limit { get; init; } = 3;
}

internal sealed record TtlSpec
{
    [Length(2, 32), Duration, Description("After success. Absent: kept.")]
    public string? Succeeded { get; init; }

    [Length(2, 32), Duration, Description("After a final failure. Absent: kept.")]
    public string? Failed { get; init; }
}

internal sealed record TrainerSpec
{
    [Length(1, 512), Description("Image of a container that honours the contract. Absent: the operator's.")]
    public string? Image { get; init; }
}
