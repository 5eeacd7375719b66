using Graft.Contract;
using Graft.Sources.Cache;
using Graft.Sources.Downloads;
using Graft.Sources.Files;
using Graft.Sources.Network;

namespace Graft.Sources.Oci;

/// <summary>
/// Artifacts in OCI registries (distribution specification 1.1): what ORAS pushes, with a title for each layer, and archives of files
/// (KitOps ModelKits, container images with a model in them). Everything is found by its digest and checked against it.
/// </summary>
internal sealed class OciClient(FetchOptions options, SourceHttp http) : ISourceClient<SourceUri.Oci>
{
    private readonly Retrier retrier = http.Retrier;

    public async Task<Fetched> FetchAsync(SourceUri.Oci uri, FetchRequest request, ProgressMeter meter, CancellationToken cancellation)
    {
        var place = $"{uri.Registry}/{uri.Repository}";
        var cache = new RepositoryCache(Path.Combine(options.CacheFolder, "graft"),
            $"oci--{uri.Repository[(uri.Repository.LastIndexOf('/') + 1)..]}--{Names.Key(place)}");
        var what = $"{request.Kind}";
        var byDigest = uri.Reference.StartsWith(Digests.Prefix, StringComparison.Ordinal);
        var known = byDigest ? uri.Reference[Digests.Prefix.Length..] : options.Offline ? cache.ReadRef(uri.Reference) : null;
        if (known is not null && cache.ReadComplete(known, what) is [var entry, ..]) return Opened(cache, known, entry);
        if (options.Offline)
            throw new SourceException(SourceFault.NotCached,
                $"the cache {cache.Root} does not have it whole, and nothing is fetched offline; fetch it once while online");

        cache.Create();
        using var authorization = new OciAuthorization(http, OciLogin.Read(request.Credentials, uri.Registry));
        var registry = new OciRegistry(http, authorization, Address(uri), uri.Repository);
        var (revision, manifest) = await registry.ManifestAsync(uri.Reference, retrier, cancellation);
        if (cache.ReadComplete(revision, what) is [var before, ..])
        {
            if (!byDigest) cache.WriteRef(uri.Reference, revision);
            return Opened(cache, revision, before);
        }
        var layers = (manifest.Layers ?? []).DistinctBy(l => l.Digest + l.Title).ToList();
        if (layers.Where(l => l.Title is not null).GroupBy(l => l.Title).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new SourceException(SourceFault.Unusable, $"its manifest names two layers '{Names.Printable(twice.Key!)}'");
        var titles = layers.Where(l => l.Title is not null).ToDictionary(l => l.Title!, StringComparer.Ordinal);
        var archives = layers.Where(l => l.IsTar).ToList();
        var plain = archives.Count == 0 ? ModelFiles.Select([.. titles.Keys], "", request.Kind) : null;
        // Beside archives, titled files are taken as they come; what a model is made of is told when all are unpacked.
        var named = plain?.Names
            ?? [.. titles.Keys.Where(t => request.Kind == FetchKind.SingleFile || ModelFiles.IsPartOfModel(t)).Select(Names.Safe)];
        var files = named.Select(n => registry.File(n, titles[n])).Concat(archives.Select(a => registry.File(a.Hex, a))).ToList();
        using (var downloader = new Downloader(options, http, meter)) await downloader.FetchAsync(cache, files, cancellation);

        var names = named.ToList();
        foreach (var name in named) cache.Link(revision, name, titles[name].Hex);
        foreach (var archive in archives)
            names.AddRange(await OciArchive.UnpackAsync(cache, revision, archive, request.Kind, options.Time, cancellation));
        var selected = plain ?? Inside(names, request.Kind);
        cache.WriteComplete(revision, what, [selected.Entry, .. selected.Names]);
        if (!byDigest) cache.WriteRef(uri.Reference, revision);
        return Opened(cache, revision, selected.Entry);
    }

    /// <summary>Archives may hold their files in a folder: the first one that has a configuration, nearest to the root.</summary>
    private static Selection Inside(List<string> names, FetchKind kind)
    {
        if (kind == FetchKind.SingleFile) return ModelFiles.Select(names, "", kind);
        var folder = names.Where(n => n == "config.json" || n.EndsWith("/config.json", StringComparison.Ordinal))
            .OrderBy(n => n.Count(c => c == '/')).ThenBy(n => n, StringComparer.Ordinal)
            .Select(n => n.Contains('/', StringComparison.Ordinal) ? n[..n.LastIndexOf('/')] : "")
            .FirstOrDefault();
        if (folder is not null) return ModelFiles.Select(names, folder, kind);
        var gguf = names.Where(n => n.EndsWith(".gguf", StringComparison.Ordinal)).ToList();
        return ModelFiles.Select(names, gguf.Count == 1 ? gguf[0] : "", kind);
    }

    private static Fetched Opened(RepositoryCache cache, string revision, string entry) =>
        new(Path.Combine(cache.Snapshot(revision), entry), cache.Folder, Digests.Prefix + revision);

    private Uri Address(SourceUri.Oci uri)
    {
        var scheme = options.PlainHttpRegistries.Contains(uri.Registry, StringComparer.OrdinalIgnoreCase) ? "http" : "https";
        // Docker's own short name is not where its registry is.
        var host = uri.Registry == "docker.io" ? "registry-1.docker.io" : uri.Registry;
        return new($"{scheme}://{host}");
    }
}
