using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>A fixture's model with other options or other weights, in a folder of its own. Gone when disposed.</summary>
internal sealed class ModelVariant : IDisposable
{
    /// <param name="config">Fields to set, as a JSON object; null takes a field's place, as in a file.</param>
    /// <param name="weights">Weights under their stored names to those that are written; null: as they are.</param>
    public ModelVariant(
        string fixture, string config = "{}",
        Func<IReadOnlyList<(string Name, Tensor Weight)>, IEnumerable<(string, Tensor)>>? weights = null)
    {
        var source = Fixtures.Path("models", fixture);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(config)!.AsObject()) json[name] = value?.DeepClone();
        Write(json, source, weights);
    }

    /// <param name="change">Changes the configuration.</param>
    public ModelVariant(string fixture, Action<JsonObject> change)
    {
        var source = Fixtures.Path("models", fixture);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        change(json);
        Write(json, source, null);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("graft-variant-").FullName;

    public BaseModel Load() =>
        BaseModel.Load(Folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Task: null));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Write(JsonObject config, string source, Func<IReadOnlyList<(string, Tensor)>, IEnumerable<(string, Tensor)>>? weights)
    {
        File.WriteAllText(Path.Combine(Folder, "config.json"), config.ToJsonString());
        foreach (var file in Directory.EnumerateFiles(source, "model*"))
            if (weights is null) File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        if (weights is null) return;
        using var scope = NewDisposeScope();
        using var stored = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        (string, Tensor)[] all = [.. stored.Tensors.Keys.Select(n => (n, stored.Map(n)))];
        SafetensorsWriter.Write(Path.Combine(Folder, "model.safetensors"), weights(all));
    }
}
