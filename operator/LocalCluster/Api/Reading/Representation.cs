using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Graft.LocalCluster.Api.Reading;

internal enum View
{
    Full,
    Table,
    Metadata,
}

/// <summary>The form in which the client wants objects: as they are, as table rows, or their metadata alone.</summary>
internal sealed record Representation(View View, bool WholeObjectInRows, bool NoObjectInRows)
{
    private const string Offered = "only the following media types are accepted: application/json, application/json;stream=watch";

    /// <exception cref="ApiException">406: no acceptable form can be served.</exception>
    public static Representation Of(HttpRequest request)
    {
        var include = request.Query["includeObject"].ToString();
        var accept = request.Headers.Accept;
        if (accept.Count == 0)
            return new Representation(View.Full, false, false);
        if (!MediaTypeHeaderValue.TryParseList(accept, out var types))
            throw new ApiException(406, "NotAcceptable", Offered);
        foreach (var type in types.OrderByDescending(type => type.Quality ?? 1))
        {
            if (type.MediaType.Value is not ("application/json" or "*/*" or "application/*"))
                continue;
            var form = type.Parameters
                .FirstOrDefault(parameter => parameter.Name.Equals("as", StringComparison.OrdinalIgnoreCase))?.Value.Value;
            View? view = form switch
            {
                null => View.Full,
                "Table" => View.Table,
                "PartialObjectMetadata" or "PartialObjectMetadataList" => View.Metadata,
                _ => null,
            };
            if (view is { } found)
                return new Representation(found, include == "Object", include == "None");
        }
        throw new ApiException(406, "NotAcceptable", string.Create(CultureInfo.InvariantCulture, $"{Offered}"));
    }
}
