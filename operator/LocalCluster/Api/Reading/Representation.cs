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
    /// <summary>The version of meta.k8s.io that tables and metadata are in.</summary>
    public string Version { get; init; } = "v1";

    public string ApiVersion => $"meta.k8s.io/{Version}";

    public const string Yaml = "application/yaml";

    private const string Offered =
        "only the following media types are accepted: application/json, application/yaml, application/json;stream=watch";

    /// <summary>Whether YAML is what the client likes best of what there is.</summary>
    public static bool WantsYaml(HttpRequest request) => MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var types)
        && types.OrderByDescending(type => type.Quality ?? 1).Select(type => type.MediaType.Value)
            .FirstOrDefault(type => type is Yaml or "application/json" or "*/*" or "application/*") == Yaml
        && !request.Query.ContainsKey("watch");

    /// <exception cref="ApiException">406: no acceptable form can be served.</exception>
    /// <param name="isList">Whether a list is asked for, or one object or a watch.</param>
    public static Representation Of(HttpRequest request, bool isList = false)
    {
        var include = request.Query["includeObject"].ToString();
        if (include is not ("" or "Metadata" or "Object" or "None"))
        {
            throw ApiException.BadRequest("Unable to convert to Table as requested: includeObject: Invalid value: " +
                $"\"{include}\": must be 'Metadata', 'Object', 'None', or empty");
        }
        var accept = request.Headers.Accept;
        if (accept.Count == 0)
            return new Representation(View.Full, false, false);
        if (!MediaTypeHeaderValue.TryParseList(accept, out var types))
            throw new ApiException(406, "NotAcceptable", Offered);
        foreach (var type in types.OrderByDescending(type => type.Quality ?? 1))
        {
            var isYaml = type.MediaType.Value == Yaml;
            if (!isYaml && type.MediaType.Value is not ("application/json" or "*/*" or "application/*"))
                continue;
            // YAML has no form for a stream of events.
            if (isYaml && request.Query["watch"].ToString() is "true" or "1")
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
            if (view is not { } found)
                continue;
            if (isList && form == "PartialObjectMetadata")
                throw new ApiException(406, "NotAcceptable", "you requested PartialObjectMetadata, but the requested object is a list");
            if (!isList && form == "PartialObjectMetadataList" && !request.Query.ContainsKey("watch"))
                throw new ApiException(406, "NotAcceptable", "you requested PartialObjectMetadataList, but the requested object is not a list");
            var version = type.Parameters.FirstOrDefault(parameter => parameter.Name.Equals("v", StringComparison.OrdinalIgnoreCase))?.Value.Value;
            return new Representation(found, include == "Object", include == "None") { Version = version == "v1beta1" ? version : "v1" };
        }
        throw new ApiException(406, "NotAcceptable", string.Create(CultureInfo.InvariantCulture, $"{Offered}"));
    }
}
