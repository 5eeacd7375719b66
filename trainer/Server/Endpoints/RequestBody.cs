using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
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
        using var body = new MemoryStream(); // its length is bounded by the server's MaxRequestBodySize
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return Parse(body.GetBuffer().AsSpan(0, (int)body.Length), type);
    }

    private static T Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
    {
        if (body.StartsWith("\ufeff"u8)) body = body[3..];
        try
        {
            CheckTexts(body);
            return JsonSerializer.Deserialize(body, type) ?? throw ApiException.BadRequest("The body must be a JSON object.");
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

    /// <summary>JSON can spell texts that no string holds; the parser says so only when somebody reads them, far from here.</summary>
    private static void CheckTexts(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body)) throw ApiException.BadRequest("The body is not UTF-8.");
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw ApiException.BadRequest(
                    "The body has half of a surrogate pair: an escape from \\ud800 to \\udfff that stands alone, "
                    + $"in the text that begins at byte {reader.TokenStartIndex + 1}.");
            }
        }
    }
}
