using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Graft.Sources.Tests.Support;

/// <summary>Pushes an artifact as the distribution specification describes it.</summary>
internal sealed class OciPush : IDisposable
{
    private readonly HttpClient http;

    public OciPush(Uri registry, string user, string password) => http = new()
    {
        BaseAddress = registry,
        DefaultRequestHeaders = { Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))) },
    };

    /// <returns>The manifest's digest.</returns>
    public async Task<string> Async(string repository, string tag, IEnumerable<(string MediaType, string? Title, byte[] Bytes)> layers)
    {
        var config = await BlobAsync(repository, "{}"u8.ToArray());
        var parts = new List<object>();
        foreach (var (mediaType, title, bytes) in layers)
        {
            var annotations = title is null ? [] : new Dictionary<string, string> { ["org.opencontainers.image.title"] = title };
            parts.Add(new { mediaType, digest = await BlobAsync(repository, bytes), size = bytes.Length, annotations });
        }
        const string type = "application/vnd.oci.image.manifest.v1+json";
        return await ManifestAsync(repository, tag, type, new
        {
            schemaVersion = 2, mediaType = type,
            config = new { mediaType = "application/vnd.oci.empty.v1+json", digest = config, size = 2 }, layers = parts,
        });
    }

    /// <summary>An index of manifests that were pushed before.</summary>
    /// <returns>The index's digest.</returns>
    public Task<string> IndexAsync(string repository, string tag, params (string Digest, Dictionary<string, string>? Annotations)[] entries)
    {
        const string type = "application/vnd.oci.image.index.v1+json";
        return ManifestAsync(repository, tag, type, new
        {
            schemaVersion = 2, mediaType = type,
            manifests = entries.Select(e => new
            {
                mediaType = "application/vnd.oci.image.manifest.v1+json", digest = e.Digest, size = 500, annotations = e.Annotations ?? [],
            }),
        });
    }

    private async Task<string> ManifestAsync(string repository, string tag, string type, object value)
    {
        var manifest = JsonSerializer.SerializeToUtf8Bytes(value);
        using var content = new ByteArrayContent(manifest) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        (await http.PutAsync($"/v2/{repository}/manifests/{tag}", content)).EnsureSuccessStatusCode();
        return "sha256:" + Make.Sha256(manifest);
    }

    public void Dispose() => http.Dispose();

    private async Task<string> BlobAsync(string repository, byte[] bytes)
    {
        var digest = "sha256:" + Make.Sha256(bytes);
        var begun = await http.PostAsync($"/v2/{repository}/blobs/uploads/", null);
        begun.EnsureSuccessStatusCode();
        var location = new Uri(http.BaseAddress!, begun.Headers.Location!);
        using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new("application/octet-stream") } };
        var address = location + (location.Query.Length > 0 ? "&" : "?") + "digest=" + Uri.EscapeDataString(digest);
        (await http.PutAsync(address, content)).EnsureSuccessStatusCode();
        return digest;
    }
}
