using Microsoft.Net.Http.Headers;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>
/// The form of discovery that a client asks for: one document for each version, or, in version v2 or v2beta1 of the group
/// apidiscovery.k8s.io, all in one (KEP-3352).
/// </summary>
/// <param name="Version">Empty for the old form.</param>
internal sealed record DiscoveryForm(string Version)
{
    public static DiscoveryForm Single { get; } = new("");

    public bool IsAggregated => Version.Length > 0;

    public string ContentType => IsAggregated
        ? $"application/json;g=apidiscovery.k8s.io;v={Version};as=APIGroupDiscoveryList"
        : "application/json";

    /// <summary>The first form of the header that can be served; a form that is not known is passed over.</summary>
    /// <exception cref="ApiException">406: none can be.</exception>
    public static DiscoveryForm Of(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        if (accept.Count == 0)
            return Single;
        if (MediaTypeHeaderValue.TryParseList(accept, out var types))
        {
            foreach (var type in types.OrderByDescending(type => type.Quality ?? 1))
            {
                if (type.MediaType.Value is not ("application/json" or "*/*" or "application/*"))
                    continue;
                var form = Parameter(type, "as");
                if (form is null)
                    return Single;
                if (form == "APIGroupDiscoveryList" && Parameter(type, "g") == "apidiscovery.k8s.io" && Parameter(type, "v") is "v2" or "v2beta1")
                    return new DiscoveryForm(Parameter(type, "v")!);
            }
        }
        throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json");
    }

    private static string? Parameter(MediaTypeHeaderValue type, string name) =>
        type.Parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value.Value;
}
