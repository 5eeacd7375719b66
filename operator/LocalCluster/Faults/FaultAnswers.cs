using System.Globalization;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Faults;

/// <summary>The errors of a server in trouble, in an API server's words.</summary>
internal static class FaultAnswers
{
    /// <summary>What overload is answered with is no Status: k8s.io/apiserver/pkg/server/filters/maxinflight.go.</summary>
    private const string TooMany = "Too many requests, please try again later.\n";

    public static async Task WriteAsync(HttpContext http, FaultRequest request, Fault.Status fault)
    {
        var retryAfter = fault.RetryAfter ?? (fault.Code == 429 ? 1 : null);
        if (retryAfter is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (fault.Code != 429)
        {
            await Responses.WriteAsync(http, fault.Code, Of(request, fault).ToStatus());
            return;
        }
        http.Response.StatusCode = 429;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(TooMany, http.RequestAborted);
    }

    public static ApiException Expired(string verb) => ApiException.Expired(verb == "list"
        ? "The provided continue parameter is too old to display a consistent list result. " +
            "You must start a new list without the continue parameter."
        : "too old resource version: 1 (2)");

    /// <summary>The texts are those of k8s.io/apimachinery/pkg/api/errors and of what etcd says when it has no leader or no time.</summary>
    private static ApiException Of(FaultRequest request, Fault.Status fault)
    {
        var dot = request.Resource.IndexOf('.', StringComparison.Ordinal);
        var resource = dot < 0
            ? new GroupResource("", request.Resource)
            : new GroupResource(request.Resource[(dot + 1)..], request.Resource[..dot]);
        return fault.Code switch
        {
            409 when request.Verb == "create" => ApiException.AlreadyExists(resource, request.Name),
            409 => ApiException.Modified(resource, request.Name),
            500 => ApiException.Internal("etcdserver: request timed out"),
            503 => new ApiException(503, "ServiceUnavailable", "etcdserver: leader changed"),
            _ => new ApiException(504, "Timeout", "Timeout: request did not complete within the allotted timeout")
            {
                Details = new JsonObject(),
            },
        };
    }
}
