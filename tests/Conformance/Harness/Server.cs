using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>An API server that the cases run against. There are two: the embedded one and a person's own; the cases do not know which.</summary>
public abstract class Server : IAsyncLifetime
{
    private Api? _api;

    /// <summary>Why nothing can be tested here; null when something can.</summary>
    public virtual string? Missing => null;

    /// <summary>Why no pod of the cases would run here; null when one would.</summary>
    public virtual string? MissingForPods => Missing;

    /// <summary>Why no pod would be bound to a node here; null when one would.</summary>
    public virtual string? MissingForNode => Missing;

    /// <summary>An image with <c>/bin/sh</c>.</summary>
    public abstract string ShellImage { get; }

    /// <summary>Whether what is marked as lacking has to fail here.</summary>
    public virtual bool IsEmbedded => false;

    internal Api Api => _api ?? throw new InvalidOperationException("the server has not started");

    /// <summary>Begins the names of everything that the cases make outside their namespaces, and of the namespaces.</summary>
    internal string Prefix { get; } = $"conformance-{Guid.NewGuid().ToString("N")[..6]}";

    /// <summary>The custom kind of the cases.</summary>
    internal Widgets Widgets => new($"{Prefix}.graft.dev");

    /// <summary>Starts the server where it is not there yet, and says how it is reached.</summary>
    private protected abstract Task<string> KubeconfigAsync();

    public async Task InitializeAsync()
    {
        if (Missing is not null) return;
        _api = new Api(await KubeconfigAsync());
        (await _api.SendAsync(HttpMethod.Post, Widgets.Definitions, Widgets.Definition)).Is(201);
        await Poll.UntilAsync("the widgets are established", async () =>
        {
            var conditions = (await _api.SendAsync(HttpMethod.Get, Widgets.DefinitionPath)).Is(200).At("status", "conditions") as JsonArray;
            return conditions?.Any(c => (string?)c?["type"] == "Established" && (string?)c["status"] == "True") == true;
        });
    }

    public virtual async Task DisposeAsync()
    {
        if (_api is null) return;
        await _api.SendAsync(HttpMethod.Delete, Widgets.DefinitionPath);
        _api.Dispose();
    }
}
