using System.Globalization;
using Graft.Contract;
using Graft.Sources.Network;

namespace Graft.Sources;

/// <summary>What a fetched source is for; it decides which of its files are taken.</summary>
public enum FetchKind
{
    /// <summary>A model folder, or one <c>.gguf</c> file.</summary>
    Model,

    /// <summary>Exactly the one file that the URI names.</summary>
    SingleFile,
}

/// <summary>How a process fetches: where to, through what, and what it may reach.</summary>
public sealed record FetchOptions
{
    public static Uri PublicHub { get; } = new("https://huggingface.co");

    /// <summary>In the layout of <c>HF_HOME</c>; shared between processes, and with Python tools.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Where the hub's repositories are; <c>hub</c> in <see cref="CacheFolder"/> where nobody says otherwise.</summary>
    public string HubCacheFolder
    {
        get => field ?? Path.Combine(CacheFolder, "hub");
        init;
    }

    /// <summary>Nothing is asked of anybody; what the cache holds is all there is.</summary>
    public bool Offline { get; init; }
    public Uri HubEndpoint { get; init; } = PublicHub;

    /// <summary>A file with the hub's token, used where a source brings no credentials of its own.</summary>
    public string? HubTokenFile { get; init; }

    /// <summary>Null: Amazon's.</summary>
    public Uri? S3Endpoint { get; init; }
    public string? S3Region { get; init; }

    /// <summary><c>HOST:PORT</c> of registries that are spoken to without TLS.</summary>
    public IReadOnlyList<string> PlainHttpRegistries { get; init; } = [];
    public AddressRules Addresses { get; init; } = AddressRules.Default;
    public TransferOptions Transfer { get; init; } = new();
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Reads <see cref="ContractEnvironment"/>'s variables, and Hugging Face's own where they have one.</summary>
    /// <exception cref="SourceException"><see cref="SourceFault.Invalid"/>; the message names the variable.</exception>
    public static FetchOptions FromEnvironment(Func<string, string?> environment)
    {
        var (cache, hub) = CacheOf(environment);
        return new()
        {
            CacheFolder = cache,
            HubCacheFolder = hub,
            Offline = Flag(environment, ContractEnvironment.Offline),
            HubEndpoint = Endpoint(environment, ContractEnvironment.HubEndpoint) ?? PublicHub,
            HubTokenFile = Text(environment, "HF_TOKEN_PATH") ?? Path.Combine(cache, "token"),
            S3Endpoint = Endpoint(environment, ContractEnvironment.S3Endpoint) ?? Endpoint(environment, "AWS_ENDPOINT_URL"),
            S3Region = Text(environment, ContractEnvironment.S3Region),
            PlainHttpRegistries = List(environment, ContractEnvironment.PlainHttpRegistries),
            Addresses = AddressRules.Parse(List(environment, ContractEnvironment.SourceNetworks),
                Flag(environment, ContractEnvironment.SourceLoopback), ContractEnvironment.SourceNetworks),
        };
    }

    /// <summary>
    /// In a pod the contract's folder; on a person's machine the ones that Python tools use, with the variables and precedence of
    /// huggingface_hub's constants.py.
    /// </summary>
    private static (string Cache, string Hub) CacheOf(Func<string, string?> environment)
    {
        var contract = ContractPaths.Resolve(ContractPaths.Cache, environment);
        if (contract != ContractPaths.Cache || Directory.Exists(contract)) return (contract, Path.Combine(contract, "hub"));
        var caches = Text(environment, "XDG_CACHE_HOME") ?? "~/.cache";
        var cache = Full(Text(environment, "HF_HOME") ?? Path.Combine(caches, "huggingface"));
        return (cache,
            (Text(environment, "HF_HUB_CACHE") ?? Text(environment, "HUGGINGFACE_HUB_CACHE")) is { } hub ? Full(hub)
            : Path.Combine(cache, "hub"));

        // Python expands it, where the shell did not.
        string Full(string path) => Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
            ? (Text(environment, "HOME") ?? Path.GetTempPath()) + path[1..]
            : path);
    }

    private static string? Text(Func<string, string?> environment, string name) =>
        environment(name)?.Trim() is { Length: > 0 } text ? text : null;

    private static bool Flag(Func<string, string?> environment, string name) =>
        Text(environment, name)?.ToLower(CultureInfo.InvariantCulture) is "1" or "true" or "yes" or "on";

    private static List<string> List(Func<string, string?> environment, string name) =>
        [.. (Text(environment, name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static Uri? Endpoint(Func<string, string?> environment, string name)
    {
        if (Text(environment, name) is not { } text) return null;
        return EndpointUri.TryParse(text, out var uri)
            ? uri
            : throw new SourceException(SourceFault.Invalid, $"{name} is no address: write https://HOST, without user, query or fragment");
    }
}

/// <summary>Numbers of a transfer. The defaults suit models of gigabytes.</summary>
public sealed record TransferOptions
{
    /// <summary>Requests at once, over all files of a source.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Files are fetched in ranges of this many bytes; what is complete survives the process.</summary>
    public int ChunkBytes { get; init; } = 32 << 20;

    /// <summary>A connection, an answer's head or the next byte may take so long.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Attempts of one request that bring nothing; bytes that arrive begin the count anew.</summary>
    public int Attempts { get; init; } = 6;
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between two attempts; a server that asks for a longer one is given up.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Seed of the spread of delays, so that many pods do not come back at the same moment.</summary>
    public int Seed { get; init; } = Environment.ProcessId;
}
