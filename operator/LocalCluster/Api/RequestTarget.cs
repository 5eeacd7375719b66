namespace Graft.LocalCluster.Api;

/// <summary>What a path names: <c>/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE/rest</c>; parts that are not there are
/// empty.</summary>
internal sealed record RequestTarget(
    string Group, string Version, string Namespace = "", string Resource = "", string Name = "", string Subresource = "", string Rest = "")
{
    /// <summary>The target of a resource path, or null for a path of another form (documents, health).</summary>
    public static RequestTarget? Parse(string path)
    {
        var parts = path.Trim('/').Split('/');
        return parts[0] switch
        {
            "api" when parts.Length > 2 => ParseResource("", parts[1], parts[2..]),
            "apis" when parts.Length > 3 => ParseResource(parts[1], parts[2], parts[3..]),
            _ => null,
        };
    }

    private static RequestTarget ParseResource(string group, string version, string[] rest)
    {
        var ns = "";
        // Namespaces are both a resource of their own and the prefix of others; only status and finalize follow their name as subresources.
        if (rest.Length > 2 && rest[0] == "namespaces" && !(rest.Length == 3 && rest[2] is "status" or "finalize"))
            (ns, rest) = (rest[1], rest[2..]);
        return new RequestTarget(
            group,
            version,
            ns,
            rest[0],
            rest.Length > 1 ? rest[1] : "",
            rest.Length > 2 ? rest[2] : "",
            rest.Length > 3 ? string.Join('/', rest[3..]) : "");
    }
}
