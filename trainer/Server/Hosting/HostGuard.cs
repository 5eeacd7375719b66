using System.Net;
using Graft.Server.Protocol;

namespace Graft.Server.Hosting;

/// <summary>
/// On a loopback address the server answers only to names that no page on the internet can have: a browser that was led to this
/// address under a foreign name (DNS rebinding) is turned away.
/// </summary>
internal static class HostGuard
{
    private static readonly string[] ClusterSuffixes = [".svc", ".svc.cluster.local", ".localhost"];

    public static IApplicationBuilder UseHostGuard(this IApplicationBuilder app, IPAddress address) =>
        !IPAddress.IsLoopback(address) ? app : app.Use((context, next) => IsLocal(context.Request.Host.Host)
            ? next(context)
            : throw ApiException.BadRequest("The Host header names another host than this server."));

    /// <summary>An address, a name without a domain, or a name that only a cluster or this machine gives.</summary>
    public static bool IsLocal(string host) =>
        host.Length == 0
        || IPAddress.TryParse(host.Trim('[', ']'), out _)
        || !host.Contains('.')
        || ClusterSuffixes.Any(s => host.EndsWith(s, StringComparison.OrdinalIgnoreCase));
}
