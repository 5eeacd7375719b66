using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Api.Documents;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Storage;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>Leads every request to the handler of its path, and turns every refusal into a Status.</summary>
internal sealed partial class RequestDispatcher(
    ObjectStore store, AccessGate gate, ResourceHandler resources, Discovery discovery, OpenApiDocuments openApi, ILogger<RequestDispatcher> log,
    CancellationToken stopping, RequestFaults? faults = null)
{
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            gate.Check(http);
            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
                http.Features.Set(new WriteBarrier(store));
            await (faults is null ? RouteAsync(http) : faults.HandleAsync(http, RouteAsync));
        }
        catch (ApiException e)
        {
            await RefuseAsync(http, e);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            LogFailure(http.Request.Method, http.Request.Path.Value ?? "", e);
            await RefuseAsync(http, ApiException.Internal(e.Message));
        }
    }

    private Task RouteAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        if (RequestTarget.Parse(path) is { } target)
            return resources.HandleAsync(http, target, stopping);
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            throw ApiException.NoSuchResource();
        if (discovery.Document(path, http.Request.Headers.Accept.ToString()) is { } document)
            return Responses.WriteAsync(http, 200, document.Body, document.ContentType);
        if (path.StartsWith("/openapi/v3", StringComparison.Ordinal) && openApi.Document(path) is { } bytes)
            return WriteBytesAsync(http, bytes, "application/json");
        if (path == "/openapi/v2" && http.Request.Headers.Accept.ToString().Contains("proto-openapi", StringComparison.Ordinal))
            return WriteBytesAsync(http, OpenApiDocuments.Version2.ToArray(), OpenApiDocuments.Version2Type);
        return path switch
        {
            "/version" or "/version/" => Responses.WriteAsync(http, 200, ServerVersion.Document),
            "/healthz" or "/livez" or "/readyz" => WriteTextAsync(http, 200, "ok"),
            _ when path.StartsWith("/apis/", StringComparison.Ordinal)
                || path.StartsWith("/api/", StringComparison.Ordinal) => throw ApiException.NoSuchResource(),
            _ => WriteTextAsync(http, 404, "404 page not found\n"),
        };
    }

    private static async Task RefuseAsync(HttpContext http, ApiException refusal)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Features.Set<WriteBarrier>(null);
        if (refusal.Code == 401)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        await Responses.WriteAsync(http, refusal.Code, refusal.ToStatus());
    }

    private static async Task WriteTextAsync(HttpContext http, int code, string text)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(text, http.RequestAborted);
    }

    private static async Task WriteBytesAsync(HttpContext http, byte[] body, string contentType)
    {
        http.Response.ContentType = contentType;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The request {Method} {Path} failed")]
    private partial void LogFailure(string method, string path, Exception exception);
}
