using System.Text.Json;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>A classifier's labels by the <c>manifest.json</c> beside an adapter: PEFT's own files do not name them.</summary>
internal static class ManifestLabels
{
    /// <returns>Null where there is no manifest, or none that names labels.</returns>
    /// <exception cref="ModelFormatException">It cannot be read.</exception>
    public static IReadOnlyList<string>? Of(string folder)
    {
        var path = Path.Combine(folder, ArtifactLayout.Manifest);
        if (!File.Exists(path)) return null;
        using var json = ModelConfigReader.Parse(path);
        return json.RootElement.ValueKind == JsonValueKind.Object ? new JsonFields(path, json.RootElement).Texts("labels") : null;
    }
}
