using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Graft.Sources.Network;

/// <summary>What an answer or an exception of the network means for the one who asked.</summary>
internal static class Faults
{
    /// <summary>The fault that an HTTP status stands for.</summary>
    public static SourceFault Of(HttpStatusCode status) => (int)status switch
    {
        401 or 403 or 407 => SourceFault.Unauthorized,
        404 or 410 => SourceFault.NotFound,
        408 or 425 or 429 or >= 500 => SourceFault.Unreachable,
        >= 300 and < 400 => SourceFault.Refused,
        _ => SourceFault.Unusable,
    };

    /// <summary>An answer that is no success. <paramref name="what"/> begins the sentence.</summary>
    public static SourceException Of(HttpResponseMessage answer, string what, DateTimeOffset now)
    {
        var fault = Of(answer.StatusCode);
        var said =
            string.Create(CultureInfo.InvariantCulture, $"{answer.RequestMessage?.RequestUri?.Host} answered {(int)answer.StatusCode}");
        var words = fault switch
        {
            SourceFault.Unauthorized => $"{what}: not allowed; {said}",
            SourceFault.NotFound => $"{what}: not found; {said}",
            SourceFault.Unreachable when answer.StatusCode == HttpStatusCode.TooManyRequests => $"{what}: {said}, too many requests",
            _ => $"{what}: {said}",
        };
        return new(fault, words) { RetryAfter = RetryAfter(answer, now) };
    }

    /// <summary>A failure below HTTP, as one of ours; null for what is a bug or a cancellation.</summary>
    public static SourceException? Of(Exception exception, string what) => exception switch
    {
        SourceException known => known,
        _ when Inner(exception) is { } known => new(known.Fault, $"{what}: {known.Message}", exception),
        HttpRequestException or IOException or SocketException or TimeoutException =>
            new(SourceFault.Unreachable, $"{what}: {FirstLine(exception)}", exception),
        _ => null,
    };

    private static SourceException? Inner(Exception exception)
    {
        for (var cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (cause is SourceException known) return known;
        }
        return null;
    }

    // Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3).
    private static TimeSpan? RetryAfter(HttpResponseMessage answer, DateTimeOffset now) => answer.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
        _ => null,
    };

    private static string FirstLine(Exception exception)
    {
        var deepest = exception;
        while (deepest.InnerException is { } inner) deepest = inner;
        return deepest.Message.Split('\n')[0].Trim();
    }
}
