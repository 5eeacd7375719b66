using System.Reflection;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>RBAC rules from the [EntityRbac] and [GenericRbac] attributes of controllers, merged and in a fixed order.</summary>
public static class RbacGenerator
{
    private static readonly RbacVerb[] Verbs =
        [RbacVerb.Get, RbacVerb.List, RbacVerb.Watch, RbacVerb.Create, RbacVerb.Update, RbacVerb.Patch, RbacVerb.Delete];

    public static V1ClusterRole ClusterRole(string name, IEnumerable<Type> types) => new()
    {
        ApiVersion = "rbac.authorization.k8s.io/v1",
        Kind = "ClusterRole",
        Metadata = new V1ObjectMeta { Name = name },
        Rules = Rules(types),
    };

    /// <summary>The same for one namespace; rules about cluster-scoped things have no place in it.</summary>
    public static V1Role Role(string name, string ns, IEnumerable<Type> types) => new()
    {
        ApiVersion = "rbac.authorization.k8s.io/v1",
        Kind = "Role",
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
        Rules = [.. Rules(types).Where(r => r.NonResourceURLs is null)],
    };

    public static IList<V1PolicyRule> Rules(IEnumerable<Type> types)
    {
        // Verbs of each resource first, so that a resource named twice gets all of them; then resources with equal verbs together.
        var granted = new Dictionary<(string Group, string Resource, string Names), RbacVerb>();
        var urls = new SortedDictionary<string, RbacVerb>(StringComparer.Ordinal);
        foreach (var type in types)
        {
            foreach (var entity in type.GetCustomAttributes<EntityRbacAttribute>())
                foreach (var kind in entity.Entities.Select(ResourceKind.Of))
                {
                    var resource = entity.Subresource is null ? kind.Plural : $"{kind.Plural}/{entity.Subresource}";
                    Grant((kind.Group, resource, Joined(entity.ResourceNames)), entity.Verbs);
                }
            foreach (var rule in type.GetCustomAttributes<GenericRbacAttribute>())
            {
                foreach (var group in rule.Groups)
                    foreach (var resource in rule.Resources)
                        Grant((group, resource, Joined(rule.ResourceNames)), rule.Verbs);
                foreach (var url in rule.Urls)
                    urls[url] = urls.GetValueOrDefault(url) | rule.Verbs;
            }
        }

        void Grant((string Group, string Resource, string Names) resource, RbacVerb verbs) =>
            granted[resource] = granted.GetValueOrDefault(resource) | verbs;

        var rules = granted
            .GroupBy(p => (p.Key.Group, p.Key.Names, Verbs: p.Value))
            .OrderBy(g => g.Key.Group, StringComparer.Ordinal)
            .ThenBy(g => g.Min(p => p.Key.Resource), StringComparer.Ordinal)
            .ThenBy(g => g.Key.Names, StringComparer.Ordinal)
            .Select(g => new V1PolicyRule
            {
                ApiGroups = [g.Key.Group],
                Resources = [.. g.Select(p => p.Key.Resource).Order(StringComparer.Ordinal)],
                ResourceNames = g.Key.Names.Length > 0 ? [.. g.Key.Names.Split(',')] : null,
                Verbs = Names(g.Key.Verbs),
            });
        return [.. rules, .. urls.Select(u => new V1PolicyRule { NonResourceURLs = [u.Key], Verbs = Names(u.Value) })];
    }

    private static string Joined(string[] names) => string.Join(',', names.Order(StringComparer.Ordinal));

    private static List<string> Names(RbacVerb verbs) => verbs.HasFlag(RbacVerb.All)
        ? ["*"]
        : [.. Verbs.Where(v => verbs.HasFlag(v)).Select(v => v.ToString().ToLowerInvariant())];
}
