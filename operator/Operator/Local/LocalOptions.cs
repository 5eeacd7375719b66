using Graft.Operator.Sources;

namespace Graft.Operator.Local;

/// <summary>What a person said on the command line of <c>local</c>.</summary>
internal sealed record LocalOptions
{
    public required string Folder { get; init; }
    public required string StateFolder { get; init; }

    /// <summary>Stay up when everything is served.</summary>
    public bool Keep { get; init; }

    /// <summary>Objects outlive the command, in the state folder that the person named.</summary>
    public bool KeepsObjects { get; init; }

    /// <summary>File of a fault plan.</summary>
    public string? Faults { get; init; }

    /// <summary>The controllers are another process'.</summary>
    public bool NoOperator { get; init; }
    public IReadOnlyDictionary<string, string> Substitutes { get; init; } = new Dictionary<string, string>();

    /// <summary>Claim -> folder of this machine.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();

    /// <summary>File of Node manifests; null is one node, which has what this machine has.</summary>
    public string? Nodes { get; init; }

    public FetchSettings Fetch { get; init; } = new() { AllowLoopback = true };
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(24);
    public string? TrainerProgram { get; init; }
    public string? ServerProgram { get; init; }
    public string TrainerImage { get; init; } = LocalImages.Trainer;
    public string ServerImage { get; init; } = LocalImages.Server;
    public int Port { get; init; }
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public SourceOptions Sources => new()
    {
        AllowFiles = true,
        FileRoot = Folder,
        Substitutes = Substitutes,
        Exists = Path.Exists,
        Fetch = Fetch,
    };

    /// <summary>Where Python tools of this person keep what they fetched; the token that they logged in with lies there too.</summary>
    public static string DefaultCache(Func<string, string?> environment)
    {
        if (environment("HF_HOME") is { Length: > 0 } home) return Path.GetFullPath(home);
        var caches = environment("XDG_CACHE_HOME") is { Length: > 0 } named
            ? named
            : Path.Combine(environment("HOME") is { Length: > 0 } own ? own : Path.GetTempPath(), ".cache");
        return Path.GetFullPath(Path.Combine(caches, "huggingface"));
    }

    public OperatorOptions Operator => new()
    {
        TrainerImage = TrainerImage,
        ServerImage = ServerImage,
        PodAccess = PodAccess.Direct,
        ServiceAddress = ServiceAddress.ClusterIP,
        Sources = Sources,
        ProgressInterval = TimeSpan.FromMilliseconds(500),
        RetryInterval = TimeSpan.FromSeconds(5),
    };
}

/// <summary>Names that stand for our programs where no registry is.</summary>
internal static class LocalImages
{
    public const string Trainer = "graft.dev/trainer:local";
    public const string Server = "graft.dev/server:local";
}
