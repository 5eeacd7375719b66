using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>A stream of JSON objects as OpenAI's clients read it: one <c>data:</c> line each, and <c>[DONE]</c> at the end.</summary>
internal sealed class ServerSentEvents(HttpResponse response, CancellationToken cancel)
{
    public void Begin()
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
    }

    public async Task SendAsync<T>(T value, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        byte[] message = [.. "data: "u8, .. json, .. "\n\n"u8];
        await response.Body.WriteAsync(message, cancel);
        await response.Body.FlushAsync(cancel);
    }

    /// <summary>An error after the status line has gone out.</summary>
    public Task SendAsync(ApiException error) => SendAsync(error.Body, ServerJson.Plain.ErrorBody);

    public async Task EndAsync()
    {
        await response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), cancel);
        await response.Body.FlushAsync(cancel);
    }
}
