using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>A pod as the checks look at it.</summary>
internal sealed record PodView(JsonNode? Metadata, JsonNode? Spec)
{
    public JsonNode? SecurityContext => Spec.At("securityContext");

    public bool IsWindows => Spec.At("os", "name").AsString() == "windows";

    /// <summary>Since 1.34 (KEP-127): with users of its own, a pod's root is nobody on the node.</summary>
    public bool HasUsersOfItsOwn => Spec.At("hostUsers") is JsonValue value && value.TryGetValue<bool>(out var shares) && !shares;

    /// <summary>Init containers first, as the checks name them.</summary>
    public IReadOnlyList<JsonObject> Containers { get; } =
        [.. Spec.At("initContainers").Objects(), .. Spec.At("containers").Objects(), .. Spec.At("ephemeralContainers").Objects()];

    public IEnumerable<JsonObject> Volumes => Spec.At("volumes").Objects();
}

/// <summary>Why a check refuses a pod: <c>hostPort (container "c" uses hostPort 80)</c>.</summary>
internal sealed record Violation(string Reason, string Detail)
{
    public override string ToString() => Detail.Length == 0 ? Reason : $"{Reason} ({Detail})";
}

/// <summary>Words as the checks put them.</summary>
internal static class Wording
{
    public static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"\"{name}\""));

    public static string Plural(string one, string many, int count) => count == 1 ? one : many;

    /// <summary><c>container "a"</c>, <c>containers "a", "b"</c>.</summary>
    public static string Containers(IReadOnlyCollection<string> names) => $"{Plural("container", "containers", names.Count)} {Quoted(names)}";

    /// <summary><c>pod and container "a"</c>: who set something by itself.</summary>
    public static string Setters(bool pod, IReadOnlyCollection<string> containers) => string.Join(" and ",
        new[] { pod ? "pod" : "", containers.Count > 0 ? Containers(containers) : "" }.Where(part => part.Length > 0));

    public static string NameOf(JsonObject container) => container["name"].AsString() ?? "";
}
