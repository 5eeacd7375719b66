using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>A rule of a role: what it lets its holders do (rbac.authorization.k8s.io/v1 PolicyRule).</summary>
internal sealed record PolicyRule(
    IReadOnlyList<string> Verbs, IReadOnlyList<string> Groups, IReadOnlyList<string> Resources, IReadOnlyList<string> Names, IReadOnlyList<string> Urls)
{
    public static PolicyRule Of(JsonObject rule) => new(
        rule["verbs"].Strings(), rule["apiGroups"].Strings(), rule["resources"].Strings(), rule["resourceNames"].Strings(),
        rule["nonResourceURLs"].Strings());

    public static IReadOnlyList<PolicyRule> AllOf(JsonNode? role) => [.. role.At("rules").Objects().Select(Of)];

    public bool Allows(AccessRequest request)
    {
        if (!Has(Verbs, request.Verb))
            return false;
        if (request.Path.Length > 0)
            return Urls.Any(url => MatchesPath(url, request.Path));
        return Has(Groups, request.Group)
            && Resources.Any(resource => MatchesResource(resource, request.RuleResource, request.Subresource))
            && (Names.Count == 0 || Names.Contains(request.Name));
    }

    /// <summary>The rule in parts that each allow one thing, as the real server compares rules.</summary>
    public IEnumerable<PolicyRule> Parts()
    {
        foreach (var verb in Verbs)
        {
            foreach (var url in Urls)
                yield return new([verb], [], [], [], [url]);
            foreach (var group in Groups)
            {
                foreach (var resource in Resources)
                {
                    if (Names.Count == 0)
                        yield return new([verb], [group], [resource], [], []);
                    foreach (var name in Names)
                        yield return new([verb], [group], [resource], [name], []);
                }
            }
        }
    }

    /// <summary>Whether somebody who has this rule has all that one part of another rule gives.</summary>
    public bool Covers(PolicyRule part)
    {
        if (!Has(Verbs, part.Verbs[0]))
            return false;
        if (part.Urls.Count > 0)
            return Urls.Any(url => url == part.Urls[0] || (url.EndsWith('*') && part.Urls[0].StartsWith(url[..^1], StringComparison.Ordinal)));
        var resource = part.Resources[0];
        var sub = resource.Contains('/', StringComparison.Ordinal) ? resource[(resource.IndexOf('/', StringComparison.Ordinal) + 1)..] : "";
        return Has(Groups, part.Groups[0]) && Resources.Any(own => MatchesResource(own, resource, sub))
            && (Names.Count == 0 || (part.Names.Count > 0 && Names.Contains(part.Names[0])));
    }

    /// <summary>The form of refusals: <c>{APIGroups:[""], Resources:["pods"], Verbs:["get"]}</c>.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        foreach (var (name, values) in new[] { ("APIGroups", Groups), ("Resources", Resources), ("NonResourceURLs", Urls), ("ResourceNames", Names), ("Verbs", Verbs) })
        {
            if (values.Count > 0)
                parts.Add($"{name}:[{string.Join(' ', values.Select(value => $"\"{value}\""))}]");
        }
        return $"{{{string.Join(", ", parts)}}}";
    }

    private static bool Has(IReadOnlyList<string> list, string value) => list.Contains(value) || list.Contains("*");

    private static bool MatchesResource(string own, string resource, string subresource) =>
        own == "*" || own == resource || (subresource.Length > 0 && own == $"*/{subresource}");

    private static bool MatchesPath(string pattern, string path) =>
        pattern.EndsWith('*') ? path.StartsWith(pattern[..^1], StringComparison.Ordinal) : path == pattern;
}
