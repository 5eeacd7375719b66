using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>An open watch: its events, one after the other.</summary>
internal sealed class Watch : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private Watch(HttpResponseMessage response, StreamReader reader) => (_response, _reader) = (response, reader);

    public static async Task<Watch> OpenAsync(HttpResponseMessage response)
    {
        if ((int)response.StatusCode != 200)
            Assert.Fail($"the watch was refused with {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return new Watch(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event; fails where the watch ends instead, or none comes.</summary>
    public async Task<WatchEvent> NextAsync()
    {
        var line = await LineAsync("an event");
        if (line is null)
            Assert.Fail("the watch ended");
        var json = Json.Object(line!);
        return new WatchEvent(json["type"]!.GetValue<string>(), json["object"]!.AsObject());
    }

    /// <summary>The next event that is no bookmark, which a server may send at any time that it was asked for some.</summary>
    public async Task<WatchEvent> NextChangeAsync()
    {
        while (true)
        {
            var next = await NextAsync();
            if (next.Type != "BOOKMARK") return next;
        }
    }

    /// <summary>All that comes until the server ends the watch.</summary>
    public async Task<IReadOnlyList<WatchEvent>> RestAsync()
    {
        var events = new List<WatchEvent>();
        while (await LineAsync("the end of the watch") is { } line)
        {
            var json = Json.Object(line);
            events.Add(new WatchEvent(json["type"]!.GetValue<string>(), json["object"]!.AsObject()));
        }
        return events;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }

    private async Task<string?> LineAsync(string what)
    {
        using var patience = new CancellationTokenSource(Poll.Limit);
        try
        {
            return await _reader.ReadLineAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"waited {Poll.Limit.TotalSeconds} s for {what}");
            return null;
        }
    }
}

internal sealed record WatchEvent(string Type, JsonObject Object)
{
    public string Name => Object["metadata"]!["name"]!.GetValue<string>();

    public string Version => Object["metadata"]!["resourceVersion"]!.GetValue<string>();

    public WatchEvent Is(string type, string name)
    {
        Assert.True(Type == type && (string?)Json.At(Object, ["metadata", "name"]) == name,
            $"expected {type} of {name}, got {Type}: {Object.ToJsonString()}");
        return this;
    }
}
