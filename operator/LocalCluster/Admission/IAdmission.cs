using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Admission;

/// <summary>A write that is about to happen.</summary>
/// <param name="Object">What is to be stored, with defaults; a mutating plug-in changes it.</param>
/// <param name="Old">What is there; null for a creation.</param>
/// <param name="Subresource">Empty for the object itself.</param>
/// <param name="Requester">Null when the server itself writes.</param>
/// <param name="Warnings">Sent with the answer.</param>
internal sealed record AdmissionRequest(
    ResourceKind Kind, JsonObject Object, JsonObject? Old, string Subresource, Requester? Requester, List<string> Warnings)
{
    public bool IsCreation => Old is null;

    public bool Is(string group, string plural) => Kind.Group == group && Kind.Plural == plural;
}

/// <summary>
/// A plug-in that sees every write before it is validated and stored (Kubernetes' admission controllers,
/// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/).
/// </summary>
internal interface IAdmission
{
    /// <exception cref="Api.ApiException">The write is refused.</exception>
    void Admit(AdmissionRequest request);
}
