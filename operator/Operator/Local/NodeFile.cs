using System.Text.Json;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Local;

/// <summary>Nodes that a person declares for the embedded cluster, as manifests of core/v1 Node.</summary>
internal static class NodeFile
{
    /// <exception cref="LocalFailure">It cannot be read, or holds anything but nodes of different names.</exception>
    public static IReadOnlyList<V1Node> Read(string path)
    {
        if (!File.Exists(path)) throw new LocalFailure($"--nodes: there is no file {path}");
        return Parse(Path.GetFileName(path), File.ReadAllText(path));
    }

    internal static IReadOnlyList<V1Node> Parse(string file, string text)
    {
        var manifests = ManifestFolder.Parse(file, text);
        if (manifests.Count == 0) throw new LocalFailure($"{file}: there is no Node in it");
        if (manifests.FirstOrDefault(m => m is not { ApiVersion: "v1", Kind: "Node" }) is { } other)
            throw new LocalFailure($"{file}: {other.Kind} {other.Name}: only Nodes are declared here, as in 'apiVersion: v1, kind: Node'");
        if (manifests.GroupBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new LocalFailure($"{file}: the node {twice.Key} is declared twice");
        return [.. manifests.Select(m => Node(file, m))];
    }

    private static V1Node Node(string file, Manifest manifest)
    {
        try
        {
            return ObjectJson.Read<V1Node>(JsonSerializer.SerializeToUtf8Bytes(Quantities(manifest)));
        }
        catch (Exception e) when (e is JsonException or FormatException or NotSupportedException or ArgumentException)
        {
            throw new LocalFailure($"{file}: Node {manifest.Name}: {e.Message}", e);
        }
    }

    /// <summary>Amounts are texts in the API, and people write the numbers among them without quotes.</summary>
    private static System.Text.Json.Nodes.JsonObject Quantities(Manifest manifest)
    {
        foreach (var list in (string[])["capacity", "allocatable"])
        {
            if (manifest.Object["status"]?[list] is not System.Text.Json.Nodes.JsonObject amounts) continue;
            foreach (var (resource, amount) in amounts.ToList())
                amounts[resource] = amount?.GetValueKind() == JsonValueKind.Number ? amount.ToJsonString() : amount?.DeepClone();
        }
        return manifest.Object;
    }
}
