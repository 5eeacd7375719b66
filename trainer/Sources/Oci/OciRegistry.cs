using System.Net.Http.Headers;
using Graft.Contract;
using Graft.Sources.Downloads;
using Graft.Sources.Network;

namespace Graft.Sources.Oci;

/// <summary>One repository of a registry: its manifests and blobs.</summary>
internal sealed class OciRegistry(SourceHttp http, OciAuthorization authorization, Uri address, string repository)
{
    /// <summary>
    /// The manifest behind a tag or digest, and its digest's hexadecimal digits; of an index with one entry (and attestations of
    /// it), that entry's.
    /// </summary>
    public async Task<(string Hex, OciManifest Manifest)> ManifestAsync(string reference, Retrier retrier, CancellationToken cancellation)
    {
        var (hex, manifest) = await ReadAsync(reference, retrier, cancellation);
        if (manifest.Layers is { Count: > 0 }) return (hex, manifest);
        var artifacts = manifest.Manifests!.Where(m => !m.IsAttestation).ToList();
        if (artifacts is not [var only])
            throw new SourceException(
                SourceFault.Unusable, $"it is an index of {artifacts.Count} artifacts; name one of them by its digest");
        (hex, manifest) = await ReadAsync(only.Digest, retrier, cancellation);
        return manifest.Layers is { Count: > 0 } ? (hex, manifest)
            : throw new SourceException(SourceFault.Unusable, "it is an index of indexes");
    }

    public RemoteFile File(string name, OciDescriptor layer)
    {
        var blob = new Uri(address, $"/v2/{repository}/blobs/{layer.Digest}");
        return new(name, layer.Hex, layer.Size, new(CheckKind.Sha256, layer.Hex), async (span, cancellation) =>
        {
            var answer = await authorization.SendAsync(HttpMethod.Get, blob, name,
                headers => headers.Range = span.Length < layer.Size ? new RangeHeaderValue(span.From, span.End - 1) : null, cancellation);
            if (answer.IsSuccessStatusCode) return await HttpRanges.BodyAsync(answer, name, span, layer.Size, cancellation);
            using (answer) throw Faults.Of(answer, name, http.Now);
        });
    }

    private async Task<(string, OciManifest)> ReadAsync(string reference, Retrier retrier, CancellationToken cancellation)
    {
        var uri = new Uri(address, $"/v2/{repository}/manifests/{reference}");
        var json = await retrier.RunAsync(async _ =>
        {
            using var answer = await authorization.SendAsync(HttpMethod.Get, uri, repository, headers =>
            {
                foreach (var type in OciManifest.Accepted) headers.Accept.Add(new(type));
            }, cancellation);
            if (!answer.IsSuccessStatusCode) throw Faults.Of(answer, $"{repository}, {reference}", http.Now);
            return await http.BodyAsync(answer, repository, OciManifest.MaxBytes, cancellation);
        }, cancellation);
        var digest = Digests.Of(json);
        if (reference.StartsWith(Digests.Prefix, StringComparison.Ordinal) && digest != reference)
            throw new SourceException(SourceFault.Corrupt, $"the manifest's digest is {digest}, {reference} was asked for");
        return (digest[Digests.Prefix.Length..], OciManifest.Parse(json));
    }
}
