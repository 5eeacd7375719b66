using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>Reads a watch event by event, each within a deadline.</summary>
internal sealed class WatchReader : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private WatchReader(HttpResponseMessage response, StreamReader lines) => (_response, _lines) = (response, lines);

    public static async Task<WatchReader> OpenAsync(TestCluster cluster, string path, string? accept = null)
    {
        var response = await cluster.RawAsync(HttpMethod.Get, path, accept: accept);
        Assert.Equal(200, (int)response.StatusCode);
        return new WatchReader(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event, or null at the end of the watch.</summary>
    public async Task<JsonNode?> NextAsync()
    {
        var line = await _lines.ReadLineAsync().WaitAsync(Deadline);
        return line is null ? null : JsonNode.Parse(line);
    }

    /// <summary>The next event as <c>TYPE name</c>.</summary>
    public async Task<string> NextNameAsync()
    {
        var next = await NextAsync();
        return $"{next?["type"]} {next?["object"]?["metadata"]?["name"]}";
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
