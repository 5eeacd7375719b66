using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Api.Documents;
using Graft.LocalCluster.Api.Pods;
using Graft.LocalCluster.Api.Reading;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Storage;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>Leads every request to the handler of its path, and turns every refusal into a Status.</summary>
internal sealed partial class RequestDispatcher(
    ObjectStore store, AccessGate gate, ResourceHandler resources, Discovery discovery, OpenApiDocuments openApi, HealthChecks health,
    ILogger<RequestDispatcher> log, CancellationToken stopping, RequestFaults? faults = null)
{
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            gate.Check(http);
            if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
                http.Features.Set(new WriteBarrier(store));
            Func<HttpContext, Task> answer = Representation.WantsYaml(http.Request) ? YamlAnswered : RouteAsync;
            await (faults is null ? answer(http) : faults.HandleAsync(http, answer));
        }
        catch (ApiException e)
        {
            await RefuseAsync(http, e);
        }
        catch (BadHttpRequestException e) when (!http.Response.HasStarted)
        {
            // A body that breaks off, or is not in the form that its headers promise.
            await RefuseAsync(http, ApiException.BadRequest(e.Message));
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

    private Task YamlAnswered(HttpContext http) => YamlAnswer.HandleAsync(http, RouteAsync);

    private Task RouteAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        if (RequestTarget.Parse(path) is { } target)
            return resources.HandleAsync(http, target, stopping);
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            throw ApiException.NoSuchResource();
        if (discovery.Answer(http, path) is { } discovered)
            return discovered;
        if (path.StartsWith("/openapi/v3", StringComparison.Ordinal) && openApi.Answer(http, path) is { } described)
            return described;
        if (health.Answer(path, http.Request.Query) is { } state)
            return WriteTextAsync(http, 200, state);
        if (path == "/openapi/v2" && http.Request.Headers.Accept.ToString().Contains("proto-openapi", StringComparison.Ordinal))
            return WriteBytesAsync(http, OpenApiDocuments.Version2.ToArray(), OpenApiDocuments.Version2Type);
        return path switch
        {
            "/version" or "/version/" => Responses.WriteAsync(http, 200, ServerVersion.Document),
            "/" => Responses.WriteAsync(http, 200, Root()),
            _ when path.StartsWith($"/apis/{NotAvailable.MetricsGroup}/", StringComparison.Ordinal) => throw NotAvailable.Metrics(),
            _ when path.StartsWith("/apis/", StringComparison.Ordinal)
                || path.StartsWith("/api/", StringComparison.Ordinal) => throw ApiException.NoSuchResource(),
            _ => WriteTextAsync(http, 404, "404 page not found\n"),
        };
    }

    /// <summary>The paths that there are, as kube-apiserver lists them.</summary>
    private JsonObject Root()
    {
        string[] others = ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
        return new JsonObject { ["paths"] = discovery.Paths().Concat(others).Order(StringComparer.Ordinal).ToJsonArray() };
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
        if (Representation.WantsYaml(http.Request))
            await WriteTextAsync(http, refusal.Code, YamlAnswer.Text(refusal.ToStatus()), Representation.Yaml);
        else
            await Responses.WriteAsync(http, refusal.Code, refusal.ToStatus());
    }

    private static async Task WriteTextAsync(HttpContext http, int code, string text, string contentType = "text/plain; charset=utf-8")
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = contentType;
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
