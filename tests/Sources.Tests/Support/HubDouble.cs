using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Graft.Sources.Tests.Support;

/// <summary>
/// A hub of one repository that speaks as the real one does: the revision's list, HEAD with the digests, large files by a redirect to
/// another server with a signed address.
/// </summary>
internal sealed class HubDouble : IAsyncDisposable
{
    public const string Repository = "org/model";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private readonly Dictionary<string, byte[]> files;
    private WebDouble hub = null!;
    private WebDouble content = null!;

    private HubDouble(Dictionary<string, byte[]> files) => this.files = files;

    public Uri Address => hub.Address;

    public IReadOnlyList<Seen> HubRequests => hub.Requests;

    public IReadOnlyList<Seen> ContentRequests => content.Requests;

    /// <summary>Null: everybody may read.</summary>
    public string? Token { get; set; }

    /// <summary>Files that are answered through a redirect, with a sha256.</summary>
    public Func<string, bool> IsLarge { get; set; } = name => name.EndsWith(".safetensors", StringComparison.Ordinal)
        || name.EndsWith(".gguf", StringComparison.Ordinal);

    /// <summary>Answers instead of the hub; true when it did.</summary>
    public Func<HttpContext, Task<bool>> InsteadOfHub { get; set; } = _ => Task.FromResult(false);

    /// <summary>Answers instead of the content network; true when it did.</summary>
    public Func<HttpContext, byte[], Task<bool>> InsteadOfContent { get; set; } = (_, _) => Task.FromResult(false);

    public static async Task<HubDouble> StartAsync(Dictionary<string, byte[]> files)
    {
        var hub = new HubDouble(files);
        hub.content = await WebDouble.StartAsync(hub.ContentAsync);
        hub.hub = await WebDouble.StartAsync(hub.HubAsync);
        return hub;
    }

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        await content.DisposeAsync();
    }

    private async Task HubAsync(HttpContext context)
    {
        if (await InsteadOfHub(context)) return;
        var path = context.Request.Path.Value!;
        if (Token is not null && context.Request.Headers.Authorization != "Bearer " + Token)
        {
            context.Response.StatusCode = 401;
            context.Response.Headers["X-Error-Code"] = "RepoNotFound";
        }
        else if (path.StartsWith($"/api/models/{Repository}/revision/", StringComparison.Ordinal))
        {
            await ListAsync(context, path[(path.LastIndexOf('/') + 1)..]);
        }
        else if (path.StartsWith($"/{Repository}/resolve/{Commit}/", StringComparison.Ordinal))
        {
            await ResolveAsync(context, path[$"/{Repository}/resolve/{Commit}/".Length..]);
        }
        else
        {
            context.Response.StatusCode = 404;
            context.Response.Headers["X-Error-Code"] = "RepoNotFound";
        }
    }

    private async Task ListAsync(HttpContext context, string revision)
    {
        if (revision is not ("main" or Commit))
        {
            context.Response.StatusCode = 404;
            context.Response.Headers["X-Error-Code"] = "RevisionNotFound";
            return;
        }
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            id = Repository, sha = Commit, siblings = files.Keys.Select(rfilename => new { rfilename }), tags = new[] { "safetensors" },
        }));
    }

    private async Task ResolveAsync(HttpContext context, string name)
    {
        if (!files.TryGetValue(name, out var bytes))
        {
            context.Response.StatusCode = 404;
            context.Response.Headers["X-Error-Code"] = "EntryNotFound";
            return;
        }
        context.Response.Headers["X-Repo-Commit"] = Commit;
        if (!IsLarge(name))
        {
            context.Response.Headers.ETag = $"\"{Hashes.GitSha1(bytes)}\"";
            await WebDouble.SendAsync(context, bytes);
            return;
        }
        context.Response.Headers["X-Linked-Etag"] = $"\"{Hashes.Sha256(bytes)}\"";
        context.Response.Headers["X-Linked-Size"] = $"{bytes.Length}";
        context.Response.Headers["X-Xet-Hash"] = "feedface";
        context.Response.StatusCode = 302;
        // Another name and another port: another host in every sense.
        context.Response.Headers.Location = $"http://localhost:{content.Address.Port}/signed/{Uri.EscapeDataString(name)}?signature=secret";
    }

    private async Task ContentAsync(HttpContext context)
    {
        var bytes = files[Uri.UnescapeDataString(context.Request.Path.Value!["/signed/".Length..])];
        if (await InsteadOfContent(context, bytes)) return;
        await WebDouble.SendAsync(context, bytes);
    }
}
