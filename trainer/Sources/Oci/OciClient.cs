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
        // A digest may be an index's, of whose manifests one was taken. No tag begins with a dot.
        var digest = byDigest ? uri.Reference[Digests.Prefix.Length..] : null;
        var reference = byDigest ? ".digests/" + digest : uri.Reference;
        var known = (byDigest || options.Offline ? cache.ReadRef(reference) : null) ?? digest;
        if (known is not null && cache.ReadComplete(known, what) is [var whole, ..]) return Opened(cache, known, whole);
        if (options.Offline)
            throw new SourceException(SourceFault.NotCached,
                $"the cache {cache.Root} does not have it whole, and nothing is fetched offline; fetch it once while online");

        cache.Create();
        using var authorization = new OciAuthorization(http, OciLogin.Read(request.Credentials, uri.Registry));
        var registry = new OciRegistry(http, authorization, Address(uri), uri.Repository);
        var (revision, manifest) = await registry.ManifestAsync(uri.Reference, retrier, cancellation);
        var entry = cache.ReadComplete(revision, what) is [var before, ..]
            ? before
            : await DownloadAsync(cache, registry, revision, manifest, request.Kind, what, meter, cancellation);
        cache.WriteRef(reference, revision);
        return Opened(cache, revision, entry);
    }

    private async Task<string> DownloadAsync(
        RepositoryCache cache, OciRegistry registry, string revision, OciManifest manifest, FetchKind kind, string what, ProgressMeter meter,
        CancellationToken cancellation)
    {
        var layers = manifest.Layers!;
        if (layers.Where(l => l.Title is not null).DistinctBy(l => l.Digest + l.Title).GroupBy(l => l.Title)
            .FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new SourceException(SourceFault.Unusable, $"its manifest names two layers '{Names.Printable(twice.Key!)}'");
        var titles = layers.Where(l => l.Title is not null).Select(l => l.Title!).Distinct().ToList();
        var archives = layers.Where(l => l.IsTar).DistinctBy(l => l.Digest).ToList();
        // Beside archives, titled files are taken as they come; what a model is made of is told when all are unpacked.
        var named = (archives.Count == 0
            ? ModelFiles.Select(titles, "", kind).Names
            : titles.Where(t => kind == FetchKind.SingleFile || ModelFiles.IsPartOfModel(t)).Select(Names.Safe)).ToHashSet();
        var files = layers.Where(l => l.Title is { } title && named.Contains(title)).Select(l => registry.File(l.Title!, l));
        // Unpacking ends with the archive's end, so nobody else may count on the archive in the meantime.
        using var unpacking = archives.Count == 0 ? null : await TakeAsync(cache, meter, cancellation);
        var packed = archives.Where(a => LayerContent.Read(cache, a, kind) is null).ToList();
        using (var downloader = new Downloader(options, http, meter))
            await downloader.FetchAsync(cache, [.. files, .. packed.Select(a => registry.File(a.Hex, a))], cancellation);
        foreach (var archive in packed) await OciArchive.UnpackAsync(cache, archive, kind, cancellation);

        var stack = new LayerStack();
        foreach (var layer in layers)
        {
            if (layer.IsTar) stack.Put(layer, LayerContent.Read(cache, layer, kind) ?? throw Lost(layer));
            else if (layer.Title is { } title && named.Contains(title)) stack.Put(title, layer.Hex);
        }
        var content = stack.Files();
        var selected = archives.Count == 0 ? ModelFiles.Select([.. content.Keys], "", kind) : Inside([.. content.Keys], kind);
        foreach (var name in selected.Names) cache.Link(revision, name, content[name]);
        cache.WriteComplete(revision, what, [selected.Entry, .. selected.Names]);
        return selected.Entry;
    }

    private async Task<FileLock> TakeAsync(RepositoryCache cache, ProgressMeter meter, CancellationToken cancellation)
    {
        using var wait = new ProgressMeter.Wait(meter);
        return await FileLock.TakeAsync(cache.LockOf("archives"), options.Time, () => wait.Sees(0), cancellation);
    }

    private static SourceException Lost(OciDescriptor layer) =>
        new(SourceFault.Storage, $"what was unpacked of the layer {layer.Digest} is gone from the cache");

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
