namespace Graft.Server.Protocol;

/// <summary>A request that is answered with an error body. Types and codes are vLLM's, so that its clients understand them.</summary>
internal sealed class ApiException : Exception
{
    private ApiException(int code, string type, string message, string? param = null) : base(message)
    {
        Code = code;
        Body = new ErrorBody(new ErrorDetail(message, type, param, code));
    }

    public int Code { get; }
    public ErrorBody Body { get; }

    /// <summary>After how many seconds the same request may pass; null when it never will.</summary>
    public int? RetryAfterSeconds { get; private init; }

    public static ApiException BadRequest(string message, string? param = null) =>
        new(StatusCodes.Status400BadRequest, "BadRequestError", message, param);

    /// <summary>What vLLM calls a wrong request to load or unload an adapter.</summary>
    public static ApiException InvalidInput(string message, string? param = null) =>
        new(StatusCodes.Status400BadRequest, "InvalidUserInput", message, param);

    public static ApiException NotFound(string message, string? param = null) =>
        new(StatusCodes.Status404NotFound, "NotFoundError", message, param);

    public static ApiException TooLarge(string message) =>
        new(StatusCodes.Status413PayloadTooLarge, "BadRequestError", message);

    public static ApiException TooManyRequests(string message) =>
        new(StatusCodes.Status429TooManyRequests, "TooManyRequestsError", message) { RetryAfterSeconds = 1 };

    public static ApiException Internal(string message) =>
        new(StatusCodes.Status500InternalServerError, "InternalServerError", message);

    public static ApiException Unavailable(string message) =>
        new(StatusCodes.Status503ServiceUnavailable, "ServiceUnavailableError", message) { RetryAfterSeconds = 1 };

    public static ApiException Of(int code, string type, string message) => new(code, type, message);
}
