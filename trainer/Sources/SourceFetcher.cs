using Graft.Contract;
using Graft.Sources.Downloads;
using Graft.Sources.Hub;
using Graft.Sources.Network;
using Graft.Sources.Oci;
using Graft.Sources.S3;

namespace Graft.Sources;

/// <summary>Fetches a source into the cache, whatever its scheme, and says where it lies.</summary>
public sealed class SourceFetcher(FetchOptions options)
{
    /// <param name="progress">Called from any thread, a few times a second.</param>
    /// <exception cref="SourceException">It is not to be had; the message begins with the source.</exception>
    public async Task<Fetched> FetchAsync(FetchRequest request, IProgress<FetchProgress>? progress, CancellationToken cancellation)
    {
        var (uri, problem) = SourceUri.Parse(request.Source);
        if (uri is null) throw new SourceException(SourceFault.Invalid, $"'{request.Source}': {problem}");
        var meter = new ProgressMeter(progress, options.Time);
        try
        {
            using var http = new SourceHttp(options);
            var fetched = await (uri switch
            {
                SourceUri.Hub hub => new HubClient(options, http).FetchAsync(hub, request, meter, cancellation),
                SourceUri.S3 s3 => new S3Client(options, http).FetchAsync(s3, request, meter, cancellation),
                SourceUri.Oci oci => new OciClient(options, http).FetchAsync(oci, request, meter, cancellation),
                _ => throw new ArgumentOutOfRangeException(nameof(request)),
            });
            meter.Finish();
            return fetched;
        }
        catch (SourceException e)
        {
            throw new SourceException(e.Fault, $"{request.Source}: {e.Message}", e) { RetryAfter = e.RetryAfter };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceException(SourceFault.Storage, $"{request.Source}: the cache {options.CacheFolder}: {e.Message}", e);
        }
    }
}
