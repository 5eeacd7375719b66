using System.Collections.Frozen;

namespace Graft.LocalCluster.Controllers.Volumes;

/// <summary>Which folder of this machine a claim is.</summary>
/// <param name="StateFolder">Claims without a binding get <c>STATE/volumes/NAMESPACE/NAME</c>.</param>
/// <param name="Bindings">Claim name -> folder that the person named; never removed.</param>
internal sealed record ClaimFolders(string StateFolder, FrozenDictionary<string, string> Bindings)
{
    public string Root { get; } = Path.Combine(StateFolder, "volumes");

    /// <exception cref="ArgumentException">A name that is more than one path segment; the API does not let one in.</exception>
    public string Folder(string ns, string claim) =>
        Bindings.TryGetValue(claim, out var bound) ? bound : Path.Combine(Root, Segment(ns), Segment(claim));

    public bool IsBinding(string claim) => Bindings.ContainsKey(claim);

    private static string Segment(string name) =>
        name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal) ? throw new ArgumentException($"\"{name}\" is not a name of a folder") : name;
}
