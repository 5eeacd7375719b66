using Graft.Contract;
using k8s.Models;

namespace Graft.Operator.Sources;

/// <summary>
/// What an administrator says about fetching. The operator itself fetches nothing: it hands this to the pods that do, in their
/// environment, where neither a job nor an engine's arguments change it.
/// </summary>
internal sealed record FetchSettings
{
    /// <summary>The hub or a mirror of it; null: the public one.</summary>
    public string? HubEndpoint { get; init; }

    /// <summary>Pods fetch nothing; what they need lies in the cache's claim.</summary>
    public bool Offline { get; init; }
    public string? S3Endpoint { get; init; }
    public string? S3Region { get; init; }

    /// <summary>CIDRs; when there are any, sources must lie in one of them.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];
    public IReadOnlyList<string> PlainHttpRegistries { get; init; } = [];

    /// <summary>Whether sources may lie on this machine: local mode only.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Folder of this machine that is the cache where a spec names no claim; null: each pod has its own.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>The variables that say all of this, in an order of their own; only those that say something.</summary>
    public IEnumerable<V1EnvVar> Environment
    {
        get
        {
            (string Name, string? Value)[] all =
            [
                (ContractEnvironment.HubEndpoint, HubEndpoint),
                (ContractEnvironment.Offline, Offline ? "1" : null),
                (ContractEnvironment.S3Endpoint, S3Endpoint),
                (ContractEnvironment.S3Region, S3Region),
                (ContractEnvironment.SourceNetworks, Networks.Count == 0 ? null : string.Join(',', Networks)),
                (ContractEnvironment.SourceLoopback, AllowLoopback ? "1" : null),
                (ContractEnvironment.PlainHttpRegistries, PlainHttpRegistries.Count == 0 ? null : string.Join(',', PlainHttpRegistries)),
            ];
            return all.Where(v => v.Value is not null).Select(v => new V1EnvVar { Name = v.Name, Value = v.Value });
        }
    }
}
