namespace Graft.Contract;

/// <summary>
/// Where a container finds things. Pods on a cluster and pods on this machine are the same objects; where a local pod
/// cannot have a mount namespace of its own, one environment variable for each path says where it really is
/// (<see cref="Variable"/>), and programs open contract paths only through <see cref="Resolve(string, Func{string, string?})"/>.
/// </summary>
public static class ContractPaths
{
    /// <summary>The ConfigMap with <c>job.json</c>.</summary>
    public const string Job = "/graft/job";
    public const string JobFile = Job + "/job.json";

    /// <summary>Claims that are read: <c>/graft/claims/CLAIM/…</c>.</summary>
    public const string Claims = "/graft/claims";

    /// <summary>Files and folders of this machine (<c>file://</c> sources, local mode only): <c>/graft/files/N</c>.</summary>
    public const string Files = "/graft/files";

    /// <summary>Secrets to fetch sources with, a folder each: <c>/graft/credentials/SECRET/KEY</c>.</summary>
    public const string Credentials = "/graft/credentials";

    /// <summary>What was fetched, in the layout of <c>HF_HOME</c>: <c>/graft/cache/hub/models--ORG--NAME/…</c>.</summary>
    public const string Cache = "/graft/cache";

    /// <summary>The claim that is written.</summary>
    public const string Output = "/graft/output";

    /// <summary>Scratch space that dies with the pod.</summary>
    public const string Scratch = "/graft/scratch";

    /// <summary>Claims that adapters lie on, in serving pods: <c>/artifacts/CLAIM/…</c>.</summary>
    public const string Artifacts = "/artifacts";

    /// <summary>Kubernetes' default termination message path.</summary>
    public const string TerminationLog = "/dev/termination-log";

    /// <summary>Contract path -> variable that moves it, longest first.</summary>
    public static IReadOnlyList<(string Path, string Variable)> All { get; } =
    [
        (Job, "GRAFT_JOB_DIR"),
        (Claims, "GRAFT_CLAIMS_DIR"),
        (Files, "GRAFT_FILES_DIR"),
        (Credentials, "GRAFT_CREDENTIALS_DIR"),
        (Cache, "GRAFT_CACHE_DIR"),
        (Output, "GRAFT_OUTPUT_DIR"),
        (Scratch, "GRAFT_SCRATCH_DIR"),
        (Artifacts, "GRAFT_ARTIFACTS_DIR"),
        (TerminationLog, "GRAFT_TERMINATION_LOG"),
    ];

    /// <summary>The variable that moves a contract path, or null when <paramref name="path"/> is none.</summary>
    public static string? Variable(string path) => All.FirstOrDefault(p => p.Path == path).Variable;

    /// <summary>A path below a contract path, moved to where its variable points; any other path as it is.</summary>
    public static string Resolve(string path, Func<string, string?> environment)
    {
        foreach (var (prefix, variable) in All)
        {
            if (path != prefix && !path.StartsWith(prefix + "/", StringComparison.Ordinal)) continue;
            var moved = environment(variable);
            return string.IsNullOrEmpty(moved) ? path : moved.TrimEnd('/') + path[prefix.Length..];
        }
        return path;
    }

    /// <summary>The mount of a claim that a contract path lies on (<c>/graft/claims/CLAIM</c>); null for other paths.</summary>
    public static string? VolumeOf(string path)
    {
        foreach (var prefix in new[] { Claims + "/", Artifacts + "/" })
        {
            if (!path.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var claim = path[prefix.Length..].Split('/')[0];
            return claim is "" or "." or ".." ? null : prefix + claim;
        }
        return null;
    }

    public static string Resolve(string path) => Resolve(path, Environment.GetEnvironmentVariable);
}

public static class ContractPorts
{
    /// <summary><c>/progress</c>, <c>/metrics</c> and <c>/health</c> of the trainer.</summary>
    public const int Trainer = 9090;

    /// <summary>The OpenAI-compatible API, <c>/metrics</c> and <c>/health</c> of the server.</summary>
    public const int Server = 8000;
}

/// <summary>Environment variables that a pod sets for our programs.</summary>
public static class ContractEnvironment
{
    /// <summary>The address to listen on: <c>status.podIP</c>, through the downward API.</summary>
    public const string PodIp = "POD_IP";

    /// <summary>The Hugging Face hub or a mirror of it, by the name that Python tools know.</summary>
    public const string HubEndpoint = "HF_ENDPOINT";

    /// <summary><c>1</c>: nothing is fetched; the cache has it or the run fails. By the name that Python tools know.</summary>
    public const string Offline = "HF_HUB_OFFLINE";

    /// <summary>Where <c>s3://</c> is found unless its credentials say so themselves.</summary>
    public const string S3Endpoint = "AWS_ENDPOINT_URL_S3";
    public const string S3Region = "AWS_REGION";

    /// <summary>The only networks that sources may lie in, as <c>CIDR,CIDR</c>; empty: any but those that are always refused.</summary>
    public const string SourceNetworks = "GRAFT_SOURCE_NETWORKS";

    /// <summary><c>1</c>: sources may lie on this machine. Local mode only.</summary>
    public const string SourceLoopback = "GRAFT_SOURCE_LOOPBACK";

    /// <summary>Registries that are spoken to without TLS, as <c>HOST:PORT,HOST:PORT</c>.</summary>
    public const string PlainHttpRegistries = "GRAFT_PLAIN_HTTP_REGISTRIES";
}
