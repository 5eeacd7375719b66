using System.Text.Json.Nodes;

namespace Graft.Modeling.Tests.Adapters;

/// <summary>A folder that goes when it is disposed.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("graft-").FullName;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Changes an object in a JSON file.</summary>
    public void Edit(string name, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(At(name)))!.AsObject();
        change(json);
        File.WriteAllText(At(name), json.ToJsonString());
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
