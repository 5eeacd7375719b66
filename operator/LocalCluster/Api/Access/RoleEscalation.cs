using Graft.LocalCluster.Admission;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Nobody gives what he does not have: a role with rules that its writer lacks, or a binding of such a role, is refused, unless the writer
/// may <c>escalate</c> or <c>bind</c> (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
/// </summary>
internal sealed class RoleEscalation(RoleBasedAccess roles) : IAdmission
{
    public void Admit(AdmissionRequest request)
    {
        if (request.Kind.Group != RoleBasedAccess.Group || request.Requester is not { IsAdministrator: false } who)
            return;
        if (request.Kind.Plural is "roles" or "clusterroles")
            CheckRole(request, who);
        else if (request.Old is null || !System.Text.Json.Nodes.JsonNode.DeepEquals(request.Old["subjects"], request.Object["subjects"]))
            CheckBinding(request, who);
    }

    private void CheckRole(AdmissionRequest request, Requester who)
    {
        var (ns, name) = (request.Object.Namespace(), request.Object.Name());
        if (!roles.Allows(who, new AccessRequest("escalate", RoleBasedAccess.Group, request.Kind.Plural, Namespace: ns, Name: name)))
            CheckHeld(request, who, PolicyRule.AllOf(request.Object));
    }

    private void CheckBinding(AdmissionRequest request, Requester who)
    {
        var ns = request.Object.Namespace();
        var plural = request.Object.At("roleRef", "kind").AsString() == "Role" ? "roles" : "clusterroles";
        var name = request.Object.At("roleRef", "name").AsString() ?? "";
        if (roles.Allows(who, new AccessRequest("bind", RoleBasedAccess.Group, plural, Namespace: ns, Name: name)))
            return;
        var given = roles.RulesOf(request.Object, ns) ?? throw ApiException.NotFound(new GroupResource(RoleBasedAccess.Group, plural), name);
        CheckHeld(request, who, given);
    }

    private void CheckHeld(AdmissionRequest request, Requester who, IReadOnlyList<PolicyRule> given)
    {
        var held = roles.RulesOf(who, request.Object.Namespace()).ToList();
        var missing = given.SelectMany(rule => rule.Parts()).Where(part => !held.Any(own => own.Covers(part)))
            // One line for all verbs that are missing on one thing.
            .GroupBy(part => (Groups: string.Join(' ', part.Groups), Resources: string.Join(' ', part.Resources), Names: string.Join(' ', part.Names), Urls: string.Join(' ', part.Urls)))
            .Select(parts => parts.First() with { Verbs = [.. parts.SelectMany(part => part.Verbs).Distinct()] })
            .Select(part => part.ToString()).Order(StringComparer.Ordinal).ToList();
        if (missing.Count == 0)
            return;
        var groups = string.Join(' ', who.Groups.Select(group => $"\"{group}\""));
        throw ApiException.Forbidden(request.Kind.GroupResource, request.Object.Name(),
            $"user \"{who.User}\" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', missing)}");
    }
}
