using Graft.Contract;
using Graft.Server.Hosting;
using Graft.Sources;

namespace Graft.Server.Engine;

/// <summary>Finds what <c>--model</c> names, by fetching it where it is a source.</summary>
internal static class ModelFetch
{
    /// <param name="says">Is told in a sentence how far it is, for those who ask the server before it is ready.</param>
    /// <returns>The folder or file to open, and what its links may not leave; null: its folder.</returns>
    /// <exception cref="SourceException">It is not to be had.</exception>
    public static (string Path, string? Root) Find(
        ServerOptions options, Func<string, string?> environment, Action<string> says, TextWriter output, CancellationToken stop)
    {
        if (!SourceUri.IsRemote(options.Model))
        {
            var volume = ContractPaths.VolumeOf(options.Model);
            return (ContractPaths.Resolve(options.Model, environment), volume is null ? null : ContractPaths.Resolve(volume, environment));
        }
        var fetcher = new SourceFetcher(FetchOptions.FromEnvironment(environment));
        var credentials = options.Credentials is { } folder ? ContractPaths.Resolve(folder, environment) : null;
        // The engine's thread has nothing else to do until the model is there.
        var fetched = fetcher.FetchAsync(new(options.Model, Credentials: credentials), new Voice(options.Model, says), stop)
            .GetAwaiter().GetResult();
        output.WriteLine($"Fetched {options.Model}, revision {fetched.Revision}");
        says("The model is loading.");
        return (fetched.Path, fetched.Root);
    }

    /// <summary>What a name for the base is made of where nobody gave one.</summary>
    public static string NameOf(SourceUri uri) => uri switch
    {
        SourceUri.Hub { Path.Length: > 0 } hub => Last(hub.Path),
        SourceUri.Hub hub => hub.Repository,
        SourceUri.S3 { Key.Length: > 0 } s3 => Last(s3.Key),
        SourceUri.S3 s3 => s3.Bucket,
        SourceUri.Oci oci => Last(oci.Repository),
        _ => uri.Text,
    };

    private static string Last(string path) => path[(path.LastIndexOf('/') + 1)..];

    private sealed class Voice(string source, Action<string> says) : IProgress<FetchProgress>
    {
        public void Report(FetchProgress value) =>
            says($"The model is being fetched: {new DownloadProgress(source, value.Bytes, value.TotalBytes, value.Waits)}.");
    }
}
