using System.Text;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>A container's configuration cannot be made (yet): the message says what is missing.</summary>
internal sealed class ContainerConfigException(string message) : Exception(message);

/// <summary>The variables that a container's specification asks for, with those that they refer to looked up in the API.</summary>
internal sealed class ContainerEnvironment(ApiClient client, V1Pod pod, string podIp)
{
    /// <param name="start">Variables that are there before the container's own, which win over them.</param>
    /// <exception cref="ContainerConfigException">A ConfigMap, Secret, key or field that is not there.</exception>
    public async Task<Dictionary<string, string>> ResolveAsync(V1Container container, IReadOnlyDictionary<string, string> start, CancellationToken cancel)
    {
        var result = new Dictionary<string, string>(start);
        foreach (var source in container.EnvFrom ?? [])
        {
            foreach (var (key, value) in await AllAsync(source, cancel).ConfigureAwait(false)) result[source.Prefix + key] = value;
        }
        foreach (var variable in container.Env ?? [])
        {
            var value = variable.ValueFrom is { } from
                ? await OneAsync(from, container, cancel).ConfigureAwait(false)
                : VariableExpansion.Expand(variable.Value ?? "", result);
            if (value is not null) result[variable.Name] = value;
        }
        return result;
    }

    private async Task<IEnumerable<(string, string)>> AllAsync(V1EnvFromSource source, CancellationToken cancel)
    {
        if (source.ConfigMapRef is { } map)
        {
            var found = await ConfigMapAsync(map.Name, map.Optional, cancel).ConfigureAwait(false);
            return found?.Data?.Select(d => (d.Key, d.Value)) ?? [];
        }
        if (source.SecretRef is { } secret)
        {
            var found = await SecretAsync(secret.Name, secret.Optional, cancel).ConfigureAwait(false);
            return found?.Data?.Select(d => (d.Key, Encoding.UTF8.GetString(d.Value))) ?? [];
        }
        return [];
    }

    private async Task<string?> OneAsync(V1EnvVarSource from, V1Container container, CancellationToken cancel)
    {
        if (from.FieldRef is { } field)
            return PodFields.Read(pod, podIp, field.FieldPath) ?? throw new ContainerConfigException($"unsupported fieldPath: {field.FieldPath}");
        if (from.ResourceFieldRef is { } resource)
            return PodFields.ReadResource(pod, resource, container) ?? throw new ContainerConfigException($"unsupported resource: {resource.Resource}");
        if (from.ConfigMapKeyRef is { } map)
        {
            var found = await ConfigMapAsync(map.Name, map.Optional, cancel).ConfigureAwait(false);
            if (found?.Data?.TryGetValue(map.Key, out var value) == true) return value;
            return map.Optional == true ? null : throw Missing(map.Key, "ConfigMap", map.Name);
        }
        if (from.SecretKeyRef is { } secret)
        {
            var found = await SecretAsync(secret.Name, secret.Optional, cancel).ConfigureAwait(false);
            if (found?.Data?.TryGetValue(secret.Key, out var value) == true) return Encoding.UTF8.GetString(value);
            return secret.Optional == true ? null : throw Missing(secret.Key, "Secret", secret.Name);
        }
        throw new ContainerConfigException("unsupported source of a variable");
    }

    private ContainerConfigException Missing(string key, string kind, string name) =>
        new($"couldn't find key {key} in {kind} {pod.Metadata.NamespaceProperty}/{name}");

    private async Task<V1ConfigMap?> ConfigMapAsync(string name, bool? optional, CancellationToken cancel)
    {
        var found = await client.GetAsync<V1ConfigMap>(name, pod.Metadata.NamespaceProperty, cancel).ConfigureAwait(false);
        return found is null && optional != true ? throw new ContainerConfigException($"configmap \"{name}\" not found") : found;
    }

    private async Task<V1Secret?> SecretAsync(string name, bool? optional, CancellationToken cancel)
    {
        var found = await client.GetAsync<V1Secret>(name, pod.Metadata.NamespaceProperty, cancel).ConfigureAwait(false);
        return found is null && optional != true ? throw new ContainerConfigException($"secret \"{name}\" not found") : found;
    }
}
