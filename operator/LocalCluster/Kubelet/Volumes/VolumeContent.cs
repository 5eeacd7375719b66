using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>What fills the volumes whose files come from the API: ConfigMaps, Secrets, the pod's own fields, and tokens.</summary>
internal sealed class VolumeContent(ApiClient client, string podIp, TimeProvider time)
{
    private const long DefaultTokenSeconds = 3600;
    // A token is asked for anew when this part of its life is over (pkg/kubelet/token/token_manager.go).
    private const double TokenUse = 0.8;

    private readonly Dictionary<string, (byte[] Token, DateTimeOffset Until)> _tokens = new(StringComparer.Ordinal);

    /// <summary>Whether a volume is filled from the API, and so follows its changes.</summary>
    public static bool Fills(V1Volume volume) =>
        volume.ConfigMap is not null || volume.Secret is not null || volume.DownwardAPI is not null || volume.Projected is not null;

    /// <returns>Relative path -> file.</returns>
    /// <exception cref="VolumeException">Something is not there, or cannot be in this volume.</exception>
    public async Task<IReadOnlyDictionary<string, VolumeFile>> ReadAsync(V1Volume volume, V1Pod pod, CancellationToken cancel)
    {
        var files = new Dictionary<string, VolumeFile>(StringComparer.Ordinal);
        var ns = pod.Metadata.NamespaceProperty;
        if (volume.ConfigMap is { } map)
            await ConfigMapAsync(files, ns, map.Name, map.Items, map.DefaultMode, map.Optional == true, cancel).ConfigureAwait(false);
        else if (volume.Secret is { } secret)
            await SecretAsync(files, ns, secret.SecretName, secret.Items, secret.DefaultMode, secret.Optional == true, cancel).ConfigureAwait(false);
        else if (volume.DownwardAPI is { } downward)
            Downward(files, pod, downward.Items, downward.DefaultMode);
        else
            await ProjectedAsync(files, pod, volume.Projected!, cancel).ConfigureAwait(false);
        return files;
    }

    private async Task ProjectedAsync(Dictionary<string, VolumeFile> files, V1Pod pod, V1ProjectedVolumeSource projected, CancellationToken cancel)
    {
        var (ns, mode) = (pod.Metadata.NamespaceProperty, projected.DefaultMode);
        foreach (var source in projected.Sources ?? [])
        {
            if (source.ConfigMap is { } map)
                await ConfigMapAsync(files, ns, map.Name, map.Items, mode, map.Optional == true, cancel).ConfigureAwait(false);
            else if (source.Secret is { } secret)
                await SecretAsync(files, ns, secret.Name, secret.Items, mode, secret.Optional == true, cancel).ConfigureAwait(false);
            else if (source.DownwardAPI is { } downward)
                Downward(files, pod, downward.Items, mode);
            else if (source.ServiceAccountToken is { } token)
                KeyFiles.Add(files, token.Path, await TokenAsync(token, pod, cancel).ConfigureAwait(false), mode);
            else
                throw new VolumeException("a projected volume takes configMap, secret, downwardAPI and serviceAccountToken on this machine", isFinal: true);
        }
    }

    private async Task ConfigMapAsync(
        Dictionary<string, VolumeFile> files, string ns, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancel)
    {
        var map = await client.GetAsync<V1ConfigMap>(name, ns, cancel).ConfigureAwait(false);
        if (map is null && !optional) throw new VolumeException($"configmap \"{name}\" not found");
        if (map is not null) KeyFiles.Add(files, KeyFiles.Of(map), items, mode, optional, "configmap");
    }

    private async Task SecretAsync(
        Dictionary<string, VolumeFile> files, string ns, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancel)
    {
        var secret = await client.GetAsync<V1Secret>(name, ns, cancel).ConfigureAwait(false);
        if (secret is null && !optional) throw new VolumeException($"secret \"{name}\" not found");
        if (secret is not null) KeyFiles.Add(files, KeyFiles.Of(secret), items, mode, optional, "secret");
    }

    private void Downward(Dictionary<string, VolumeFile> files, V1Pod pod, IList<V1DownwardAPIVolumeFile>? items, int? mode)
    {
        foreach (var item in items ?? [])
        {
            var text = item.FieldRef is { } field ? PodFields.Read(pod, podIp, field.FieldPath)
                : PodFields.ReadResource(pod, item.ResourceFieldRef, pod.Spec.Containers[0]);
            if (text is null) throw new VolumeException($"unsupported field of a pod: {item.FieldRef?.FieldPath ?? item.ResourceFieldRef.Resource}", isFinal: true);
            KeyFiles.Add(files, item.Path, Encoding.UTF8.GetBytes(text), item.Mode ?? mode);
        }
    }

    /// <summary>A token that is bound to the pod, from the TokenRequest subresource as the real kubelet gets it.</summary>
    private async Task<byte[]> TokenAsync(V1ServiceAccountTokenProjection projection, V1Pod pod, CancellationToken cancel)
    {
        var audience = projection.Audience ?? "";
        var seconds = projection.ExpirationSeconds ?? DefaultTokenSeconds;
        var key = FormattableString.Invariant($"{audience} {seconds}");
        if (_tokens.TryGetValue(key, out var held) && held.Until > time.GetUtcNow()) return held.Token;
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = audience.Length > 0 ? new JsonArray(audience) : new JsonArray(),
                ["expirationSeconds"] = seconds,
                ["boundObjectRef"] = new JsonObject
                {
                    ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Metadata.Name, ["uid"] = pod.Metadata.Uid,
                },
            },
        };
        try
        {
            var answer = await client.Resource<V1ServiceAccount>().PostAsync(
                pod.Spec.ServiceAccountName ?? "default", pod.Metadata.NamespaceProperty, "token", request, cancel).ConfigureAwait(false);
            var token = JsonNode.Parse(answer)?["status"]?["token"]?.GetValue<string>() ?? throw new VolumeException("failed to fetch token: the answer has none");
            _tokens[key] = held = (Encoding.UTF8.GetBytes(token), time.GetUtcNow() + (TimeSpan.FromSeconds(seconds) * TokenUse));
            return held.Token;
        }
        catch (Exception e) when (e is ApiException or JsonException)
        {
            throw new VolumeException($"failed to fetch token: {e.Message}");
        }
    }
}
