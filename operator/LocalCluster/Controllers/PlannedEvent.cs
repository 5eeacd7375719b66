namespace Graft.LocalCluster.Controllers;

/// <summary>An event that a decision wants told about its object.</summary>
internal sealed record PlannedEvent(bool IsWarning, string Reason, string Message)
{
    public static PlannedEvent Normal(string reason, string message) => new(false, reason, message);

    public static PlannedEvent Warning(string reason, string message) => new(true, reason, message);
}
