namespace Graft.LocalCluster.Api.Access;

/// <summary>Who sent a request, as its token says.</summary>
/// <param name="IsAdministrator">May do everything, whatever roles say.</param>
internal sealed record Requester(string User, bool IsAdministrator);
