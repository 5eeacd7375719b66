using System.Net.Http.Headers;
using System.Text.Json;
using Graft.Contract;
using Graft.Sources.Cache;
using Graft.Sources.Downloads;
using Graft.Sources.Files;
using Graft.Sources.Network;

namespace Graft.Sources.Hub;

/// <summary>
/// The Hugging Face hub, as huggingface_hub speaks to it (its <c>file_download.py</c> and the hub's API documentation): a revision is
/// resolved to a commit, each file's digest is asked for with HEAD, and its bytes are fetched through the hub's redirect, in ranges.
/// The cache has the same layout and the same locks, so that both can share it.
/// </summary>
internal sealed class HubClient(FetchOptions options, SourceHttp http) : ISourceClient<SourceUri.Hub>
{
    private const int MaxListBytes = 32 << 20;
    private readonly Retrier retrier = http.Retrier;

    public async Task<Fetched> FetchAsync(SourceUri.Hub uri, FetchRequest request, ProgressMeter meter, CancellationToken cancellation)
    {
        var cache = new RepositoryCache(
            options.HubCacheFolder, "models--" + uri.Repository.Replace("/", "--", StringComparison.Ordinal));
        var what = $"{request.Kind} {uri.Path}";
        var known = IsCommit(uri.Revision) ? uri.Revision : options.Offline ? cache.ReadRef(uri.Revision) : null;
        if (known is not null && cache.ReadComplete(known, what) is { } names)
            return Opened(cache, known, ModelFiles.Select(names, uri.Path, request.Kind).Entry);
        if (options.Offline) return FromCache(cache, uri, request, known);

        cache.Create();
        var token = Token(request.Credentials);
        var (commit, all) = await ListAsync(uri, token, cancellation);
        var selection = ModelFiles.Select(all, uri.Path, request.Kind);
        if (cache.ReadComplete(commit, what) is null)
        {
            await DownloadAsync(cache, uri, commit, selection.Names, token, meter, cancellation);
            cache.WriteComplete(commit, what, selection.Names);
        }
        if (uri.Revision != commit) cache.WriteRef(uri.Revision, commit);
        return Opened(cache, commit, selection.Entry);
    }

    /// <summary>What another tool put into the cache counts too, as long as nothing is missing that its own files speak of.</summary>
    private static Fetched FromCache(RepositoryCache cache, SourceUri.Hub uri, FetchRequest request, string? commit)
    {
        if (commit is null) throw NotCached($"the cache {cache.Root} has no revision '{uri.Revision}' of it");
        var path = Path.Combine(cache.Snapshot(commit), uri.Path);
        var lack = request.Kind == FetchKind.SingleFile ? (Links.LeadToFile(path) ? null : "the file") : ModelFiles.Lack(path);
        if (lack is null) return Opened(cache, commit, uri.Path);
        throw NotCached($"the cache {cache.Root} lacks {lack} of revision '{uri.Revision}'");
    }

    private async Task DownloadAsync(
        RepositoryCache cache, SourceUri.Hub uri, string commit, IReadOnlyList<string> names, string? token, ProgressMeter meter,
        CancellationToken cancellation)
    {
        var files = await DescribeAsync(uri, commit, names, token, cancellation);
        using var downloader = new Downloader(options, http, meter);
        await downloader.FetchAsync(cache, files, cancellation);
        foreach (var file in files) cache.Link(commit, file.Name, file.Blob);
    }

    private async Task<(string Commit, IReadOnlyList<string> Files)> ListAsync(
        SourceUri.Hub uri, string? token, CancellationToken cancellation)
    {
        // A revision's slashes are part of its name, so they are escaped; a repository's are not.
        var address = At($"api/models/{uri.Repository}/revision/{Uri.EscapeDataString(uri.Revision)}");
        var body = await retrier.RunAsync(async _ =>
        {
            using var answer =
                await http.SendAsync(HttpMethod.Get, address, uri.Repository, Redirects.SameOrigin, Bearer(token), null, cancellation);
            if (!answer.IsSuccessStatusCode) throw HubErrors.Of(answer, uri, token is not null, http.Now);
            return await http.BodyAsync(answer, uri.Repository, MaxListBytes, cancellation);
        }, cancellation);
        try
        {
            var model = JsonSerializer.Deserialize(body, HubJson.Default.HubModel);
            if (model?.Sha is { } sha && IsCommit(sha))
                return (sha, [.. (model.Siblings ?? []).Select(s => s?.Rfilename).OfType<string>()]);
        }
        catch (JsonException)
        {
            // The same message.
        }
        throw new SourceException(SourceFault.Unusable, $"{address.Host} answered with something else than a model's description");
    }

    private async Task<IReadOnlyList<RemoteFile>> DescribeAsync(
        SourceUri.Hub uri, string commit, IReadOnlyList<string> names, string? token, CancellationToken cancellation)
    {
        var files = new RemoteFile[names.Count];
        await Parallel.ForAsync(0, names.Count,
            new ParallelOptions { MaxDegreeOfParallelism = options.Transfer.Connections, CancellationToken = cancellation },
            async (i, stop) => files[i] = await DescribeAsync(uri, commit, names[i], token, stop));
        return files;
    }

    private Task<RemoteFile> DescribeAsync(SourceUri.Hub uri, string commit, string name, string? token, CancellationToken cancellation)
    {
        var address = At($"{uri.Repository}/resolve/{commit}/{string.Join('/', name.Split('/').Select(Uri.EscapeDataString))}");
        return retrier.RunAsync(async _ =>
        {
            using var answer =
                await http.SendAsync(HttpMethod.Head, address, name, Redirects.SameOrigin, Bearer(token), null, cancellation);
            // A redirect to another host is where the bytes are; what it is stands in this answer.
            var isRedirect = answer.Headers.Location is not null;
            if (!answer.IsSuccessStatusCode && !isRedirect) throw HubErrors.Of(answer, uri, token is not null, http.Now);
            if (Header(answer, "X-Repo-Commit") is { } at && at != commit)
                throw new SourceException(SourceFault.Corrupt, $"{name}: asked for commit {commit}, got {Names.Printable(at)}");
            var tag = (Header(answer, "X-Linked-Etag") ?? answer.Headers.ETag?.Tag ?? "").Replace("W/", "", StringComparison.Ordinal)
                .Trim('"');
            var size = long.TryParse(Header(answer, "X-Linked-Size"), out var linked) ? linked
                : isRedirect ? null : answer.Content.Headers.ContentLength;
            if (tag.Length == 0 || size is not >= 0)
                throw new SourceException(
                    SourceFault.Unusable, $"{address.Host} says neither digest nor size of {name}; it does not speak as the hub does");
            var ranges = new HttpRanges(http, address, name, Bearer(token), size.Value);
            return new RemoteFile(name, BlobName(tag), size.Value, FileCheck.OfHubTag(tag), ranges.OpenAsync);
        }, cancellation);
    }

    private string? Token(string? credentials)
    {
        var given = CredentialFiles.Read(credentials, "token", "HF_TOKEN");
        if (credentials is not null && given is null) throw CredentialFiles.Lacking(credentials, "'token' or 'HF_TOKEN'");
        var token = given ?? (options.HubTokenFile is { } file ? CredentialFiles.ReadFile(file) : null);
        return token is null ? null : CredentialFiles.Word(token, "the hub's token");
    }

    private static Fetched Opened(RepositoryCache cache, string commit, string entry) =>
        new(entry.Length == 0 ? cache.Snapshot(commit) : Path.Combine(cache.Snapshot(commit), entry), cache.Folder, commit);

    private Uri At(string path) => new(options.HubEndpoint.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/" + path);

    private static AuthenticationHeaderValue? Bearer(string? token) => token is null ? null : new("Bearer", token);

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.First() : null;

    // Mirrors may have tags of their own; a tag that is no plain word is replaced by one that is.
    private static string BlobName(string tag) => tag.Length <= 64 && tag.All(char.IsAsciiLetterOrDigit) ? tag : Names.Key(tag);

    private static bool IsCommit(string revision) => revision.Length == 40 && revision.All(char.IsAsciiHexDigitLower);

    private static SourceException NotCached(string message) =>
        new(SourceFault.NotCached, $"{message}, and nothing is fetched offline; fetch it once while online");
}
