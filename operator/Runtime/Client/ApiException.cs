using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Graft.Runtime;

/// <summary>One reason of a refused request: the field it is about, as the server names it.</summary>
public sealed record StatusCause(string? Reason, string? Message, string? Field);

/// <summary>The Status object that an API server answers an error with.</summary>
public sealed record ApiStatus(int Code, string Reason, string Message, string? Name, string? Kind, IReadOnlyList<StatusCause> Causes, TimeSpan? RetryAfter)
{
    /// <summary>Reads a Status, or makes one of whatever else a proxy in between may have answered.</summary>
    public static ApiStatus Parse(int code, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("kind", out var kind) && kind.ValueEquals("Status"))
                return Parse(document.RootElement);
        }
        catch (JsonException)
        {
            // Not JSON: the text itself is the message.
        }

        var text = Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, 1024)]).Trim();
        return new ApiStatus(code, "", text.Length > 0 ? text : ((HttpStatusCode)code).ToString(), null, null, [], null);
    }

    public static ApiStatus Parse(JsonElement status)
    {
        var details = Member(status, "details");
        var causes = new List<StatusCause>();
        if (details is { } d && Member(d, "causes") is { ValueKind: JsonValueKind.Array } list)
            foreach (var cause in list.EnumerateArray())
                causes.Add(new StatusCause(Text(cause, "reason"), Text(cause, "message"), Text(cause, "field")));
        var retry = details is { } r && Member(r, "retryAfterSeconds") is { ValueKind: JsonValueKind.Number } seconds ? seconds.GetInt32() : 0;
        var code = Member(status, "code") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : 0;
        return new ApiStatus(
            code, Text(status, "reason") ?? "", Text(status, "message") ?? "",
            details is { } n ? Text(n, "name") : null, details is { } k ? Text(k, "kind") : null,
            causes, retry > 0 ? TimeSpan.FromSeconds(retry) : null);
    }

    private static JsonElement? Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement parent, string name) =>
        Member(parent, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}

/// <summary>The API server refused a request. <see cref="Exception.Message"/> is the server's message.</summary>
public sealed class ApiException(HttpStatusCode statusCode, ApiStatus status, string request) : Exception(
    string.Create(CultureInfo.InvariantCulture, $"{(status.Message.Length > 0 ? status.Message : statusCode.ToString())} ({request}: {(int)statusCode} {status.Reason})"))
{
    public HttpStatusCode StatusCode { get; } = statusCode;

    public ApiStatus Status { get; } = status;

    public string Reason => Status.Reason;

    public bool IsNotFound => StatusCode == HttpStatusCode.NotFound;

    public bool IsAlreadyExists => StatusCode == HttpStatusCode.Conflict && Reason == "AlreadyExists";

    /// <summary>The object changed since it was read, or another field manager owns a field.</summary>
    public bool IsConflict => StatusCode == HttpStatusCode.Conflict && Reason != "AlreadyExists";

    /// <summary>The resource version or continue token is too old: list again.</summary>
    public bool IsGone => StatusCode == HttpStatusCode.Gone || Reason is "Expired" or "Gone";

    public bool IsInvalid => StatusCode == HttpStatusCode.UnprocessableEntity || Reason == "Invalid";

    public bool IsForbidden => StatusCode == HttpStatusCode.Forbidden;

    public bool IsUnauthorized => StatusCode == HttpStatusCode.Unauthorized;

    public bool IsTooManyRequests => StatusCode == HttpStatusCode.TooManyRequests;

    /// <summary>Repeating the same request can succeed without anyone changing anything.</summary>
    public bool IsTransient => IsTooManyRequests || (int)StatusCode >= 500;
}
