using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Reading;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Keeps the rules of ClusterRoles that are made of others
/// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles).
/// </summary>
internal sealed class RoleAggregation(ObjectStore store, ObjectWriter writer)
{
    /// <summary>Called when any ClusterRole has changed or gone.</summary>
    public void Update(ResourceKind kind)
    {
        var roles = store.Snapshot(RoleBasedAccess.ClusterRoles).Objects;
        foreach (var role in roles.All)
        {
            if (role.Content.At("aggregationRule", "clusterRoleSelectors") is not JsonArray selectors)
                continue;
            var rules = Collect(roles, selectors, role.Key);
            if (JsonNode.DeepEquals(rules, role.Content["rules"] ?? new JsonArray()))
                continue;
            writer.Update(kind, role.Key, "", current =>
            {
                var next = current.Copy();
                next.Metadata().Remove("resourceVersion");
                next["rules"] = rules.DeepClone();
                return new Changed(next);
            }, WriteOptions.Server);
        }
    }

    private static JsonArray Collect(ObjectTree roles, JsonArray selectors, ObjectKey own)
    {
        var rules = new JsonArray();
        foreach (var selector in selectors.Objects())
        {
            foreach (var rule in roles.All.Where(role => role.Key != own && Matches(selector, role.Labels)).SelectMany(role => role.Content["rules"].Objects()))
            {
                if (!rules.Any(known => JsonNode.DeepEquals(known, rule)))
                    rules.Add(rule.DeepClone());
            }
        }
        return rules;
    }

    private static bool Matches(JsonObject selector, IReadOnlyDictionary<string, string> labels) =>
        LabelRequirements.Parse(PrinterColumns.Selector(selector)).All(requirement => requirement(labels));
}
