using System.Text.Json.Nodes;
using Graft.LocalCluster.Api;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Admission;

/// <summary>
/// Gives each pod its service account, which has to be there, and the account's pull secrets
/// (kubernetes/plugin/pkg/admission/serviceaccount/admission.go).
/// </summary>
internal sealed class ServiceAccountAdmission(ObjectStore store) : IAdmission
{
    private static readonly GroupResource Accounts = new("", "serviceaccounts");

    public void Admit(AdmissionRequest request)
    {
        if (!request.Is("", "pods") || !request.IsCreation || request.Subresource.Length > 0)
            return;
        var spec = request.Object.Child("spec");
        var (ns, name) = (request.Object.Namespace(), spec["serviceAccountName"].AsString() is { Length: > 0 } named ? named : "default");
        if (store.Get(Accounts, new ObjectKey(ns, name)) is not { } account)
        {
            throw ApiException.Forbidden(request.Kind.GroupResource, request.Object.Name(),
                $"error looking up service account {ns}/{name}: serviceaccount \"{name}\" not found");
        }
        spec["serviceAccountName"] = name;
        spec["serviceAccount"] = name;
        if (spec["imagePullSecrets"] is not JsonArray { Count: > 0 } && account.Content["imagePullSecrets"] is JsonArray { Count: > 0 } secrets)
            spec["imagePullSecrets"] = secrets.DeepClone();
    }
}
