using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

/// <summary>A namespace of a case's own, and short ways to speak to the server about what is in it.</summary>
internal sealed class Space : IAsyncDisposable
{
    private const string Apply = "application/apply-patch+yaml";
    private readonly List<string> _others = [];

    private Space(Server server, string name, TimeSpan patience) => (Server, Name, Patience) = (server, name, patience);

    public Server Server { get; }

    public string Name { get; }

    /// <summary>How long to wait for what has to happen.</summary>
    public TimeSpan Patience { get; }

    public string ConfigMaps => Core("configmaps");

    // Nothing but the cases makes Secrets in a new namespace, so that lists are theirs alone.
    public string Secrets => Core("secrets");

    public string Services => Core("services");

    public string Pods => Core("pods");

    public string Deployments => $"/apis/apps/v1/namespaces/{Name}/deployments";

    public string Leases => $"/apis/coordination.k8s.io/v1/namespaces/{Name}/leases";

    public string Widgets => Server.Widgets.In(Name);

    public string Path => $"/api/v1/namespaces/{Name}";

    private Api Api => Server.Api;

    public static async Task<Space> CreateAsync(Server server, TimeSpan patience)
    {
        var space = new Space(server, $"{server.Prefix}-{Guid.NewGuid().ToString("N")[..8]}", patience);
        (await space.PostAsync("/api/v1/namespaces", Make.Named("v1", "Namespace", space.Name))).Is(201);
        return space;
    }

    public string Core(string plural) => $"/api/v1/namespaces/{Name}/{plural}";

    public string ConfigMap(string name) => $"{ConfigMaps}/{name}";

    public string Secret(string name) => $"{Secrets}/{name}";

    public string Deployment(string name) => $"{Deployments}/{name}";

    public string Widget(string name) => $"{Widgets}/{name}";

    /// <summary>Another namespace, which goes with this one.</summary>
    public async Task<string> OtherNamespaceAsync()
    {
        var name = $"{Server.Prefix}-{Guid.NewGuid().ToString("N")[..8]}";
        (await PostAsync("/api/v1/namespaces", Make.Named("v1", "Namespace", name))).Is(201);
        _others.Add(name);
        return name;
    }

    public Task<Answer> GetAsync(string path, string? accept = "application/json") => Api.SendAsync(HttpMethod.Get, path, accept: accept);

    /// <summary>Asks for what one has already.</summary>
    /// <param name="known">Its tag, quoted.</param>
    public Task<Answer> GetUnlessAsync(string path, string known, string? accept = "application/json") =>
        Api.SendTextAsync(HttpMethod.Get, path, null, accept: accept, known: known);

    public Task<Answer> PostAsync(string path, JsonNode body) => Api.SendAsync(HttpMethod.Post, path, body);

    public Task<Answer> PutAsync(string path, JsonNode body) => Api.SendAsync(HttpMethod.Put, path, body);

    public Task<Answer> DeleteAsync(string path, string? options = null) => Api.SendTextAsync(HttpMethod.Delete, path, options);

    /// <param name="kind"><c>json</c>, <c>merge</c> or <c>strategic-merge</c>.</param>
    public Task<Answer> PatchAsync(string path, string kind, string patch) =>
        Api.SendTextAsync(HttpMethod.Patch, path, patch, $"application/{kind}-patch+json");

    /// <summary>Server-side apply of an object that is named as the path is.</summary>
    public Task<Answer> ApplyAsync(string path, JsonNode body, string manager, string query = "") =>
        Api.SendTextAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}{(query.Length > 0 ? "&" + query : "")}", body.ToJsonString(),
            Apply);

    /// <summary>A request in any form, well-formed or not.</summary>
    public Task<Answer> SendAsync(HttpMethod method, string path, string? body, string? type, string? accept = "application/json") =>
        Api.SendTextAsync(method, path, body, type, accept);

    /// <summary>A request of a service account of this namespace, which is <c>worker</c> where nothing else is said.</summary>
    public Task<Answer> WorkerAsync(HttpMethod method, string path, JsonNode? body = null, string type = "application/json", string worker = "worker") =>
        Api.SendAsAsync($"system:serviceaccount:{Name}:{worker}", method, path, body?.ToJsonString(), type);

    /// <summary>A request with this token and nothing else.</summary>
    public async Task<Answer> WithTokenAsync(string token, HttpMethod method, string path, JsonNode? body = null)
    {
        using var api = Api.WithToken(token);
        return await api.SendAsync(method, path, body);
    }

    public async Task<Watch> WatchAsync(string path, string query = "", string accept = "application/json")
    {
        var address = $"{path}?watch=true{(query.Length > 0 ? "&" + query : "")}";
        return await Watch.OpenAsync(await Api.RawAsync(HttpMethod.Get, address, null, null, accept,
            HttpCompletionOption.ResponseHeadersRead));
    }

    /// <summary>Creates a ConfigMap that has to be fine.</summary>
    public async Task<Answer> ConfigMapAsync(string name, params (string Key, string Value)[] data) =>
        (await PostAsync(ConfigMaps, Make.ConfigMap(name, data))).Is(201);

    /// <summary>Creates Secrets of these names, in this order.</summary>
    public async Task SecretsAsync(params string[] names)
    {
        foreach (var name in names)
            (await PostAsync(Secrets, Make.Secret(name))).Is(201);
    }

    /// <summary>Creates a Secret with one label.</summary>
    public async Task<Answer> LabelledAsync(string name, string label, string value) =>
        (await PostAsync(Secrets, Make.Secret(name).With(value, "metadata", "labels", label))).Is(201);

    /// <summary>Creates a Deployment that wants no pods.</summary>
    public async Task<Answer> DeploymentAsync(string name, string extra = "") =>
        (await PostAsync(Deployments, Make.Deployment(name, extra))).Is(201);

    public async Task<Answer> WidgetAsync(string name, string spec = "{}") =>
        (await PostAsync(Widgets, Server.Widgets.Make(name, spec))).Is(201);

    public Task UntilAsync(string what, Func<Task<bool>> ask) => Poll.UntilAsync(what, Patience, ask);

    public Task GoneAsync(string path) => UntilAsync($"{path} is gone", async () => (await GetAsync(path)).Code == 404);

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _others.Append(Name))
            await DeleteAsync($"/api/v1/namespaces/{name}");
    }
}
