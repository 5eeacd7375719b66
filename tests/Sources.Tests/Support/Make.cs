using System.Text;
using Graft.Sources.Network;

namespace Graft.Sources.Tests.Support;

internal static class Make
{
    /// <summary>Bytes that compress badly and differ everywhere, so that a range in the wrong place is noticed.</summary>
    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A model of some files; its weights are larger than a chunk.</summary>
    public static Dictionary<string, byte[]> Model(int weights = 300_000) => new(StringComparer.Ordinal)
    {
        ["config.json"] = Encoding.UTF8.GetBytes("""{"model_type": "llama"}"""),
        ["tokenizer.json"] = Encoding.UTF8.GetBytes("""{"model": {"type": "BPE"}}"""),
        ["model.safetensors"] = Bytes(weights),
    };

    public static FetchOptions Options(TempFolder folder, Uri? hub = null, TimeProvider? time = null) => new()
    {
        CacheFolder = folder["cache"],
        HubEndpoint = hub ?? FetchOptions.PublicHub,
        Addresses = AddressRules.WithLoopback,
        Time = time ?? TimeProvider.System,
        Transfer = Transfer,
    };

    public static TransferOptions Transfer { get; } = new()
    {
        ChunkBytes = 64 << 10,
        FirstDelay = TimeSpan.FromMilliseconds(20),
        LongestDelay = TimeSpan.FromSeconds(5),
        IdleTimeout = TimeSpan.FromSeconds(20),
        Seed = 1,
    };

    public static string Sha256(byte[] bytes) => Hashes.Sha256(bytes);

    public static string GitSha1(byte[] bytes) => Hashes.GitSha1(bytes);

    public static Task<Fetched> FetchAsync(
        FetchOptions options, string source, string? credentials = null, FetchKind kind = FetchKind.Model,
            IProgress<FetchProgress>? progress = null) =>
        new SourceFetcher(options).FetchAsync(new(source, kind, credentials), progress, CancellationToken.None);

    public static Task<SourceException> FailureAsync(
        FetchOptions options, string source, string? credentials = null, FetchKind kind = FetchKind.Model) =>
        Assert.ThrowsAsync<SourceException>(() => FetchAsync(options, source, credentials, kind));
}

/// <summary>Keeps what was reported, in order.</summary>
internal sealed class Reports : IProgress<FetchProgress>
{
    private readonly List<FetchProgress> all = [];

    public IReadOnlyList<FetchProgress> All
    {
        get { lock (all) return [.. all]; }
    }

    public void Report(FetchProgress value)
    {
        lock (all) all.Add(value);
    }
}
