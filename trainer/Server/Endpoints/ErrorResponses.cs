using Graft.Server.Hosting;
using Graft.Server.Protocol;
using Microsoft.AspNetCore.Http.Features;

namespace Graft.Server.Endpoints;

/// <summary>The outermost step of every request: counts it, and gives every error the shape that clients parse.</summary>
internal sealed partial class ErrorResponses(RequestDelegate next, ServerMetrics metrics, ILogger<ErrorResponses> log)
{
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400 and var code }) await WriteAsync(context, OfStatus(code));
        }
        catch (Exception e)
        {
            await AnswerAsync(context, e);
        }
        finally
        {
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "other";
            metrics.Request(route, context.Response.StatusCode);
        }
    }

    private Task AnswerAsync(HttpContext context, Exception e)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            if (!context.Response.HasStarted) context.Response.StatusCode = ClientClosedRequest;
            return Task.CompletedTask;
        }
        if (e is not (ApiException or BadHttpRequestException)) Failed(log, context.Request.Path, e);
        if (context.Response.HasStarted)
        {
            context.Abort(); // a cut answer must not look like a whole one
            return Task.CompletedTask;
        }
        return WriteAsync(context, e switch
        {
            ApiException api => api,
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiException.TooLarge(
                $"The body is larger than {context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize} bytes."),
            BadHttpRequestException bad => ApiException.Of(bad.StatusCode, "BadRequestError", bad.Message),
            _ => ApiException.Internal("The server failed while it handled this request."),
        });
    }

    private static ApiException OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => ApiException.NotFound("Not Found"),
        StatusCodes.Status405MethodNotAllowed => ApiException.Of(status, "BadRequestError", "Method Not Allowed"),
        _ => ApiException.Of(status, "BadRequestError", $"HTTP status {status}"),
    };

    private static Task WriteAsync(HttpContext context, ApiException error)
    {
        context.Response.StatusCode = error.Code;
        if (error.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = $"{seconds}";
        return context.Response.WriteAsJsonAsync(error.Body, ServerJson.Plain.ErrorBody);
    }

    [LoggerMessage(LogLevel.Error, "{Path} failed")]
    private static partial void Failed(ILogger log, string path, Exception e);
}
