using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>The objects and the requests that make, change and list them.</summary>
internal sealed class ScaleObjects(ScaleCase measured)
{
    // What the server adds to an object: uid, times, versions and the books of field owners.
    private const int AddedByServer = 420;
    private const int CreatesAtOnce = 16;

    public static string Namespace(int n) => string.Create(CultureInfo.InvariantCulture, $"scale-{n:00}");

    public static string Path(int ns) => $"/api/v1/namespaces/{Namespace(ns)}/configmaps";

    public static string Name(int n) => string.Create(CultureInfo.InvariantCulture, $"object-{n:00000}");

    public async Task CreateNamespacesAsync(HttpClient client, CancellationToken cancel)
    {
        for (var n = 0; n < measured.Namespaces; n++)
        {
            await SendAsync(client, HttpMethod.Post, "/api/v1/namespaces",
                $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{Namespace(n)}}}"}}""", "application/json", cancel);
        }
    }

    public Task FillAsync(HttpClient client, CancellationToken cancel) =>
        Parallel.ForAsync(0, measured.Objects, new ParallelOptions { MaxDegreeOfParallelism = CreatesAtOnce, CancellationToken = cancel },
            async (n, stop) => await SendAsync(client, HttpMethod.Post, Path(n % measured.Namespaces), Text(n), "application/json", stop));

    /// <summary>A change of one object: the n-th write.</summary>
    /// <returns>The namespace that it went to.</returns>
    public async Task<int> WriteAsync(HttpClient client, int n, CancellationToken cancel)
    {
        var which = n % measured.Objects;
        var ns = which % measured.Namespaces;
        // Never what is there already: that would be no change, and no event.
        var patch = string.Create(CultureInfo.InvariantCulture, $"{{\"data\":{{\"written\":\"{n + 1:0000000000}\"}}}}");
        await SendAsync(client, HttpMethod.Patch, $"{Path(ns)}/{Name(which)}", patch, "application/merge-patch+json", cancel);
        return ns;
    }

    /// <summary>One unpaged list of a batch over all namespaces, from the request to the last byte.</summary>
    public async Task<TimeSpan> ListAsync(HttpClient client, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.GetAsync("/api/v1/configmaps?labelSelector=batch%3D0", HttpCompletionOption.ResponseHeadersRead, cancel);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync(cancel);
        var text = new ArrayBufferWriter<byte>(measured.Objects / ScaleCase.Batches * (measured.ObjectBytes + 512));
        while (await body.ReadAsync(text.GetMemory(1 << 16), cancel) is > 0 and var read)
            text.Advance(read);
        var took = clock.Elapsed;
        using var list = JsonDocument.Parse(text.WrittenMemory);
        var count = list.RootElement.GetProperty("items").GetArrayLength();
        return count == measured.Objects / ScaleCase.Batches
            ? took
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"the list has {count} objects"));
    }

    private string Text(int n)
    {
        var filler = new string('x', measured.ObjectBytes - AddedByServer - 180);
        return string.Create(CultureInfo.InvariantCulture, $$$"""
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{Name(n)}}}","labels":{"batch":"{{{n / measured.Namespaces % ScaleCase.Batches}}}"}},"data":{"filler":"{{{filler}}}","written":"0000000000"}}
            """);
    }

    private static async Task SendAsync(
        HttpClient client, HttpMethod method, string path, string body, string type, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } },
        };
        request.Version = client.DefaultRequestVersion;
        request.VersionPolicy = client.DefaultVersionPolicy;
        using var answer = await client.SendAsync(request, cancel);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancel)}");
    }
}
