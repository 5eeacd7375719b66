using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Graft.Sources.Tests.Support;

/// <summary>A request that a double saw.</summary>
internal sealed record Seen(string Method, int Port, string Path, string? Authorization, string? Range);

/// <summary>An HTTP server on loopback that answers as a test says, and remembers what it was asked.</summary>
internal sealed class WebDouble : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Seen> seen = new();

    private WebDouble(WebApplication app) => this.app = app;

    public Uri Address =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    public IReadOnlyList<Seen> Requests => [.. seen];

    public static async Task<WebDouble> StartAsync(Func<HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new WebDouble(app);
        app.Run(context =>
        {
            server.seen.Enqueue(new(context.Request.Method, context.Connection.LocalPort, context.Request.Path,
                context.Request.Headers.Authorization, context.Request.Headers.Range));
            return answer(context);
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>Sends bytes as a file server does: whole, or the one range that was asked for.</summary>
    /// <param name="dropAfter">The connection breaks after so many bytes of the body.</param>
    /// <param name="pause">A wait before each kilobyte.</param>
    public static async Task SendAsync(
        HttpContext context, byte[] bytes, bool ranges = true, int? dropAfter = null, TimeSpan pause = default)
    {
        var (from, to) = (0, bytes.Length - 1);
        if (ranges && context.Request.GetTypedHeaders().Range?.Ranges.Single() is { } range)
        {
            (from, to) = ((int)range.From!.Value, (int)Math.Min(range.To ?? to, to));
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{bytes.Length}";
        }
        context.Response.ContentLength = to - from + 1;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var body = bytes.AsMemory(from, to - from + 1);
        if (dropAfter < body.Length)
        {
            await context.Response.Body.WriteAsync(body[..dropAfter.Value]);
            await context.Response.Body.FlushAsync();
            // A reset throws away what has not been read yet.
            await Task.Delay(TimeSpan.FromMilliseconds(100));
            context.Abort();
            return;
        }
        for (var at = 0; at < body.Length;)
        {
            var count = pause == default ? body.Length : Math.Min(1024, body.Length - at);
            if (pause != default) await Task.Delay(pause, context.RequestAborted);
            await context.Response.Body.WriteAsync(body.Slice(at, count), context.RequestAborted);
            at += count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
