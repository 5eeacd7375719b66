using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Role-based access as stored Roles, ClusterRoles and their bindings say it
/// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). Rules only ever allow; what none allows is refused.
/// </summary>
internal sealed class RoleBasedAccess(ObjectStore store)
{
    public const string Group = "rbac.authorization.k8s.io";
    public static readonly GroupResource ClusterRoles = new(Group, "clusterroles");
    public static readonly GroupResource Roles = new(Group, "roles");
    private static readonly GroupResource ClusterRoleBindings = new(Group, "clusterrolebindings");
    private static readonly GroupResource RoleBindings = new(Group, "rolebindings");

    private volatile BoundRules? _bound;

    public bool Allows(Requester who, AccessRequest request) =>
        who.IsAdministrator || RulesOf(who, request.Namespace).Any(rule => rule.Allows(request));

    /// <summary>All rules that somebody has in a namespace, or in all when it is empty.</summary>
    public IEnumerable<PolicyRule> RulesOf(Requester who, string ns)
    {
        var bound = Current();
        return who.Groups.Select(group => (IsGroup: true, Name: group)).Prepend((IsGroup: false, Name: who.User))
            .SelectMany(subject => bound.Of(subject))
            .Where(binding => binding.Namespace.Length == 0 || binding.Namespace == ns)
            .SelectMany(binding => binding.Rules);
    }

    /// <summary>The rules of the role that a binding refers to; null when there is none.</summary>
    public IReadOnlyList<PolicyRule>? RulesOf(JsonNode? binding, string ns)
    {
        var name = binding.At("roleRef", "name").AsString() ?? "";
        var role = binding.At("roleRef", "kind").AsString() == "Role"
            ? store.Get(Roles, new ObjectKey(ns, name))
            : store.Get(ClusterRoles, new ObjectKey("", name));
        return role is null ? null : PolicyRule.AllOf(role.Content);
    }

    /// <summary>The refusal in the real server's words.</summary>
    public static ApiException Forbidden(Requester who, AccessRequest request)
    {
        if (request.Path.Length > 0)
            return new(403, "Forbidden", $"forbidden: User \"{who.User}\" cannot {request.Verb} path \"{request.Path}\"") { Details = [] };
        var where = request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope";
        return ApiException.Forbidden(
            new GroupResource(request.Group, request.Resource), request.Name,
            $"User \"{who.User}\" cannot {request.Verb} resource \"{request.RuleResource}\" in API group \"{request.Group}\" {where}");
    }

    /// <summary>What is bound to whom, read anew when one of the four tables is another than before.</summary>
    private BoundRules Current()
    {
        ObjectTree[] tables =
        [
            store.Snapshot(ClusterRoleBindings).Objects, store.Snapshot(RoleBindings).Objects, store.Snapshot(ClusterRoles).Objects,
            store.Snapshot(Roles).Objects,
        ];
        if (_bound is { } known && known.IsOf(tables))
            return known;
        var read = new BoundRules(tables);
        foreach (var binding in tables[0].All.Concat(tables[1].All))
        {
            if (RulesOf(binding.Content, binding.Key.Namespace) is not { Count: > 0 } rules)
                continue;
            foreach (var subject in binding.Content["subjects"].Objects())
                read.Add(subject, binding.Key.Namespace, rules);
        }
        return _bound = read;
    }

    /// <summary>Subjects and what each has been given, as long as the tables stay as they are.</summary>
    private sealed class BoundRules(ObjectTree[] tables)
    {
        private readonly Dictionary<(bool IsGroup, string Name), List<(string Namespace, IReadOnlyList<PolicyRule> Rules)>> _subjects = [];

        public bool IsOf(ObjectTree[] current) => tables.Zip(current).All(pair => ReferenceEquals(pair.First, pair.Second));

        public List<(string Namespace, IReadOnlyList<PolicyRule> Rules)> Of((bool, string) subject) =>
            _subjects.GetValueOrDefault(subject) ?? [];

        public void Add(JsonObject subject, string ns, IReadOnlyList<PolicyRule> rules)
        {
            var name = subject["name"].AsString() ?? "";
            (bool, string)? key = subject["kind"].AsString() switch
            {
                "ServiceAccount" => (false, Requester.ServiceAccount(subject["namespace"].AsString() ?? ns, name)),
                "User" => (false, name),
                "Group" => (true, name),
                _ => null,
            };
            if (key is not { } known)
                return;
            if (!_subjects.TryGetValue(known, out var given))
                _subjects[known] = given = [];
            given.Add((ns, rules));
        }
    }
}
