using k8s;

namespace Graft.Runtime;

/// <summary>Objects as YAML text that is the same for the same objects.</summary>
public static class ManifestYaml
{
    /// <summary>One document for each object, each opened by `---`.</summary>
    public static string Write(params IEnumerable<IKubernetesObject> objects) => string.Concat(
        objects.Select(o => $"---\n{KubernetesYaml.Serialize(o).ReplaceLineEndings("\n").Trim()}\n"));
}
