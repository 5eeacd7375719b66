using Graft.LocalCluster.Api;

namespace Graft.LocalCluster;

/// <summary>
/// What a request does, in the words of a policy rule. A resource has a name in <see cref="Resource"/>; any other path is in
/// <see cref="Path"/>, and the other parts are empty.
/// </summary>
/// <param name="Resource">Plural, as in URLs.</param>
/// <param name="Namespace">Empty for cluster-scoped resources and for requests on all namespaces.</param>
/// <param name="Name">Empty for collections.</param>
public sealed record AccessRequest(
    string Verb, string Group = "", string Resource = "", string Subresource = "", string Namespace = "", string Name = "", string Path = "")
{
    /// <summary>The form of a rule's <c>resources</c>: <c>pods</c>, <c>pods/proxy</c>.</summary>
    public string RuleResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>The API server's rules for what a method means (apiserver's RequestInfo).</summary>
    internal static AccessRequest Of(HttpRequest request)
    {
        var path = request.Path.Value ?? "/";
        if (RequestTarget.Parse(path) is not { } target) return new(request.Method.ToLowerInvariant(), Path: path);
        var collection = target.Name.Length == 0;
        var verb = request.Method switch
        {
            "GET" or "HEAD" when collection => request.Query["watch"].ToString() is "true" or "1" ? "watch" : "list",
            "GET" or "HEAD" => "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => collection ? "deletecollection" : "delete",
            var other => other.ToLowerInvariant(),
        };
        // A list of one name is a request for that name.
        var name = collection && verb is "list" or "watch" or "deletecollection" ? OnlyName(request) : target.Name;
        return new(verb, target.Group, target.Resource, target.Subresource, target.Namespace, name);
    }

    private static string OnlyName(HttpRequest request) => request.Query["fieldSelector"].ToString().Split(',')
        .Where(part => part.StartsWith("metadata.name=", StringComparison.Ordinal))
        .Select(part => part["metadata.name=".Length..].TrimStart('=')).FirstOrDefault("");

    /// <summary>For logs and messages of tests: <c>patch apps deployments/scale ml/support</c>.</summary>
    public override string ToString() => Path.Length > 0
        ? $"{Verb} {Path}"
        : string.Join(' ', new[] { Verb, Group, RuleResource, Namespace.Length > 0 ? $"{Namespace}/{Name}" : Name }.Where(p => p.Length > 0));
}

/// <summary>One request of somebody who does not hold the administrator's token, and what became of it.</summary>
public sealed record AccessRecord(string User, AccessRequest Request, bool Allowed);
