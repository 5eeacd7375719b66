using System.Net;

namespace Graft.Contract;

/// <summary>
/// Who may ask a program of a pod. On a loopback address it answers only to names that no page on the internet can have: a browser
/// that was led to this address under a foreign name (DNS rebinding) is turned away. Pods on a cluster listen on addresses that no
/// such browser reaches, and answer to every name.
/// </summary>
public static class LocalHosts
{
    /// <summary>What a program says to a request that it turns away.</summary>
    public const string Refusal = "The Host header names another host than this server.";

    private static readonly string[] ClusterSuffixes = [".svc", ".svc.cluster.local", ".localhost"];

    /// <param name="listening">The address that the program listens on.</param>
    /// <param name="host">The request's <c>Host</c> header without its port.</param>
    public static bool MayAsk(IPAddress listening, string host) => !IPAddress.IsLoopback(listening) || IsLocal(host);

    /// <summary>An address, a name without a domain, or a name that only a cluster or this machine gives.</summary>
    public static bool IsLocal(string host) =>
        host.Length == 0
        || IPAddress.TryParse(host.Trim('[', ']'), out _)
        || !host.Contains('.')
        || ClusterSuffixes.Any(s => host.EndsWith(s, StringComparison.OrdinalIgnoreCase));
}
