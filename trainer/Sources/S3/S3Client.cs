using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Graft.Contract;
using Graft.Sources.Cache;
using Graft.Sources.Downloads;
using Graft.Sources.Files;
using Graft.Sources.Network;

namespace Graft.Sources.S3;

/// <summary>
/// Buckets of Amazon S3 and of stores that speak like it. A prefix can change at any time, so its revision is the digest of what
/// it lists (key, ETag, size), and every range is asked for with the ETag that was listed.
/// </summary>
internal sealed class S3Client(FetchOptions options, SourceHttp http) : ISourceClient<SourceUri.S3>
{
    private const int MaxKeys = 10_000;
    private const int MaxPages = 100;
    private readonly Retrier retrier = http.Retrier;

    public async Task<Fetched> FetchAsync(SourceUri.S3 uri, FetchRequest request, ProgressMeter meter, CancellationToken cancellation)
    {
        var credentials = S3Credentials.Read(request.Credentials);
        var endpoint = credentials.Endpoint ?? options.S3Endpoint;
        // The same bucket's name in another store is another bucket.
        var cache =
            new RepositoryCache(Path.Combine(options.CacheFolder, "graft"), $"s3--{uri.Bucket}--{Names.Key(endpoint?.ToString() ?? "")}");
        var reference = Names.Key($"{request.Kind} {uri.Key}");
        if (options.Offline) return FromCache(cache, uri, reference);

        cache.Create();
        using var client = Client(credentials, endpoint);
        var objects = await ListAsync(client, uri, cancellation);
        // Names count from the folder that the URI names; one object's counts from the folder that it lies in.
        var single = objects.Exists(o => o.Key == uri.Key);
        var root = single ? uri.Key[..(uri.Key.LastIndexOf('/') + 1)] : uri.Key.Length == 0 ? "" : uri.Key + "/";
        var byName =
            objects.Where(o => o.Key.StartsWith(root, StringComparison.Ordinal) && o.Key.Length > root.Length && !o.Key.EndsWith('/'))
            .DistinctBy(o => o.Key).ToDictionary(o => o.Key[root.Length..], StringComparer.Ordinal);
        if (byName.Count == 0) throw new SourceException(SourceFault.NotFound, $"the bucket has no object '{uri.Key}' and none below it");
        var selection = ModelFiles.Select([.. byName.Keys], single ? uri.Key[root.Length..] : "", request.Kind);
        var files = new List<RemoteFile>();
        foreach (var name in selection.Names) files.Add(await DescribeAsync(client, uri.Bucket, name, byName[name], cancellation));
        using (var downloader = new Downloader(options, http, meter)) await downloader.FetchAsync(cache, files, cancellation);

        var digest = Digests.OfParts(files.Select(f => $"{f.Name} {f.Blob} {f.Size}"));
        var revision = digest[Digests.Prefix.Length..];
        foreach (var file in files) cache.Link(revision, file.Name, file.Blob);
        cache.WriteComplete(revision, reference, [selection.Entry, .. selection.Names]);
        cache.WriteRef(reference, revision);
        return Opened(cache, revision, selection.Entry);
    }

    private static Fetched FromCache(RepositoryCache cache, SourceUri.S3 uri, string reference)
    {
        if (cache.ReadRef(reference) is { } revision && cache.ReadComplete(revision, reference) is [var entry, ..])
            return Opened(cache, revision, entry);
        throw new SourceException(SourceFault.NotCached,
            $"the cache {cache.Root} does not have it whole, and nothing is fetched offline; fetch {uri.Text} once while online");
    }

    private static Fetched Opened(RepositoryCache cache, string revision, string entry) =>
        new(Path.Combine(cache.Snapshot(revision), entry), cache.Folder, Digests.Prefix + revision);

    private AmazonS3Client Client(S3Credentials credentials, Uri? endpoint)
    {
        var region = credentials.Region ?? options.S3Region ?? "us-east-1";
        var config = new AmazonS3Config
        {
            HttpClientFactory = new GuardedFactory(options.Addresses, options.Transfer),
            IgnoreConfiguredEndpointUrls = true,
            MaxErrorRetry = 0,
            // Stores that only speak like S3 know no other checksums, and bytes are checked against the ETag here.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = region;
            // A store that runs by itself rarely has a name for each bucket.
            config.ForcePathStyle = true;
        }
        return new(credentials.Keys, config);
    }

    private async Task<List<S3Object>> ListAsync(AmazonS3Client client, SourceUri.S3 uri, CancellationToken cancellation)
    {
        var found = new List<S3Object>();
        string? next = null;
        var pages = 0;
        do
        {
            if (++pages > MaxPages)
                throw new SourceException(
                    SourceFault.Unusable, $"the list of objects has more than {MaxPages} pages; name a longer prefix");
            var page = await CallAsync(uri.Bucket, () => client.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = uri.Bucket, Prefix = uri.Key, ContinuationToken = next }, cancellation),
                    cancellation);
            // The prefix 'a/b' lists 'a/bc' as well.
            found.AddRange((page.S3Objects ?? []).Where(o =>
                uri.Key.Length == 0 || o.Key == uri.Key || o.Key.StartsWith(uri.Key + "/", StringComparison.Ordinal)));
            if (found.Count > MaxKeys) throw new SourceException(
                SourceFault.Unusable, $"more than {MaxKeys} objects lie there; name the model's own prefix");
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
        return found;
    }

    private async Task<RemoteFile> DescribeAsync(
        AmazonS3Client client, string bucket, string name, S3Object item, CancellationToken cancellation)
    {
        var head = await CallAsync(name, () => client.GetObjectMetadataAsync(
            new GetObjectMetadataRequest { BucketName = bucket, Key = item.Key, EtagToMatch = item.ETag }, cancellation), cancellation);
        if (head.ETag is null) throw new SourceException(
            SourceFault.Unusable, $"{name}: the store gives it no ETag; it does not speak as S3 does");
        var (tag, size) = (head.ETag.Trim('"'), head.ContentLength);
        var blob = Names.Key(string.Create(CultureInfo.InvariantCulture, $"{item.Key} {tag} {size}"));
        return new(name, blob, size, CheckOf(tag, head), OpenAsync);

        async Task<OpenedRange> OpenAsync(ByteSpan span, CancellationToken stop)
        {
            var request = new GetObjectRequest { BucketName = bucket, Key = item.Key, EtagToMatch = head.ETag };
            if (span.Length < size) request.ByteRange = new ByteRange(span.From, span.End - 1);
            var answer = await OnceAsync(name, () => client.GetObjectAsync(request, stop), stop);
            // A store that passes ranges over begins at the start again; another range than was asked for is nothing to go on with.
            if (answer.HttpStatusCode != HttpStatusCode.PartialContent) return new(answer.ResponseStream, 0, answer);
            if (ContentRangeHeaderValue.TryParse(answer.ContentRange, out var range)
                && range.From == span.From && (range.Length ?? size) == size) return new(answer.ResponseStream, span.From, answer);
            answer.Dispose();
            throw new SourceException(SourceFault.Corrupt, string.Create(CultureInfo.InvariantCulture,
                $"{name}: bytes from {span.From} of {size} were asked for, the store sends '{Names.Printable(answer.ContentRange ?? "")}'"));
        }
    }

    // The ETag is the md5 of what was written in one part and is not encrypted with a key of its own; of anything else it is only a name.
    private static FileCheck CheckOf(string tag, GetObjectMetadataResponse head) =>
        tag.Length == 32 && tag.All(char.IsAsciiHexDigitLower)
            && (head.ServerSideEncryptionMethod is not { Value: { Length: > 0 } method } || method == "AES256")
            && head.ServerSideEncryptionCustomerMethod is not { Value: { Length: > 0 } and not "None" }
            ? new(CheckKind.Md5, tag)
            : FileCheck.SizeOnly;

    private Task<T> CallAsync<T>(string what, Func<Task<T>> call, CancellationToken cancellation) =>
        retrier.RunAsync(_ => OnceAsync(what, call, cancellation), cancellation);

    private async Task<T> OnceAsync<T>(string what, Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call().WaitAsync(options.Transfer.IdleTimeout, options.Time, cancellation);
        }
        catch (AmazonS3Exception e)
        {
            throw S3Errors.Of(e, what);
        }
        catch (Exception e) when (Faults.Of(e, what) is { } fault)
        {
            throw fault;
        }
        catch (AmazonClientException e)
        {
            throw new SourceException(SourceFault.Unreachable, $"{what}: {e.Message.Split('\n')[0]}", e);
        }
    }
}
