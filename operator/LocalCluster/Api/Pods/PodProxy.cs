using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;
using Yarp.ReverseProxy.Forwarder;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>
/// Forwards <c>pods/POD:PORT/proxy/path</c> to the pod's own address, bodies streamed both ways. The client's token stays here, and only
/// loopback addresses are reached.
/// </summary>
internal sealed class PodProxy(IHttpForwarder forwarder) : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
    });

    public async Task ForwardAsync(HttpContext http, StoredObject pod, string scheme, string port)
    {
        if (scheme is not ("" or "http"))
            throw ApiException.BadRequest($"scheme \"{scheme}\" is not available locally, only http is");
        if (!IPAddress.TryParse(pod.Content.At("status", "podIP").AsString(), out var address))
            throw new ApiException(503, "ServiceUnavailable", $"pod {pod.Key.Name} has no address yet");
        if (!IPAddress.IsLoopback(address))
            throw ApiException.BadRequest("address not allowed");
        var target = new UriBuilder(Uri.UriSchemeHttp, address.ToString(), PortOf(pod.Content, port)).Uri;
        var error = await forwarder.SendAsync(http, target.ToString(), _client,
            new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(30) }, new Rewrite());
        if (error == ForwarderError.None || http.Response.HasStarted)
            return;
        http.Response.Clear();
        var cause = http.Features.Get<IForwarderErrorFeature>()?.Exception?.GetBaseException().Message ?? error.ToString();
        throw new ApiException(503, "ServiceUnavailable", $"error trying to reach service: {cause}");
    }

    public void Dispose() => _client.Dispose();

    /// <summary>A number, or the name of a container's port; absent: the first port that a container states.</summary>
    private static int PortOf(JsonObject pod, string port)
    {
        if (int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number is > 0 and < 65536 ? number : throw ApiException.BadRequest($"invalid port {port}");
        var ports = pod.At("spec", "containers").Objects().SelectMany(container => container["ports"].Objects());
        var named = port.Length == 0 ? ports.FirstOrDefault() : ports.FirstOrDefault(p => p["name"].AsString() == port);
        return (int?)named?["containerPort"].AsLong()
            ?? (port.Length == 0 ? 80 : throw ApiException.BadRequest($"pod {pod.Name()} has no port \"{port}\""));
    }

    private sealed class Rewrite : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest,
            string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Authorization = null;
            proxyRequest.Headers.Host = null;
            var path = httpContext.Request.Path.Value ?? "";
            const string Marker = "/proxy";
            // What stands before is of fixed depth, so a "/proxy" in the pod's own path is not mistaken for it.
            var start = path.IndexOf(Marker, PrefixLength(path), StringComparison.Ordinal) + Marker.Length;
            var rest = start < path.Length ? path[start..] : "/";
            proxyRequest.RequestUri = RequestUtilities.MakeDestinationAddress(destinationPrefix.TrimEnd('/'), rest,
                httpContext.Request.QueryString);
        }

        /// <summary>The length of <c>/api/v1/namespaces/NS/pods/NAME</c>.</summary>
        private static int PrefixLength(string path)
        {
            var at = 0;
            for (var slashes = 0; slashes < 7; slashes++)
                at = path.IndexOf('/', at) + 1;
            return at - 1;
        }
    }
}
