using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

internal static class RequestBody
{
    /// <exception cref="ApiException">400: not JSON, or a field has the wrong type.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        // Without this a page in a browser could send requests here that count as simple and are not asked about first.
        if (!context.Request.HasJsonContentType())
        {
            throw ApiException.BadRequest("Unsupported Media Type: Only 'application/json' is allowed");
        }
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                ?? throw ApiException.BadRequest("The body must be a JSON object.");
        }
        catch (JsonException e)
        {
            var field = e.Path?.StartsWith("$.", StringComparison.Ordinal) == true ? e.Path[2..] : null;
            var isType = e.Message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal);
            throw isType
                ? ApiException.BadRequest(
                    field is null ? "The body must be a JSON object." : $"'{field}' has a value of the wrong type.", field)
                : ApiException.BadRequest($"The body is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
        }
    }
}
