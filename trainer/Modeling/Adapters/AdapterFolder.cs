using System.Text.Json;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>An adapter's folder, with its configuration read. Dispose it with the file of its weights.</summary>
internal sealed class AdapterFolder : IDisposable
{
    private readonly JsonDocument config;

    private AdapterFolder(string folder, string configPath, string weightsPath)
    {
        (Folder, ConfigPath) = (folder, configPath);
        config = ModelConfigReader.Parse(configPath);
        Weights = SafetensorsFile.Open(weightsPath);
        Config = new JsonFields(configPath, config.RootElement);
        Type = Config.Text("peft_type")
            ?? throw new ModelFormatException(configPath, "peft_type is missing, so nobody knows what the adapter is");
    }

    /// <exception cref="ModelFormatException">It is no adapter, or cannot be read.</exception>
    public static AdapterFolder Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelFormatException(folder, "is no folder");
        var (configPath, weightsPath) = (Path.Combine(folder, ArtifactLayout.AdapterConfig), Path.Combine(folder, ArtifactLayout.AdapterWeights));
        if (File.Exists(configPath) && !File.Exists(weightsPath)
            && Directory.EnumerateFiles(folder).FirstOrDefault(Pickles.Is) is { } pickle)
            throw new ModelFormatException(folder, $"has its weights in {Path.GetFileName(pickle)}, {Pickles.Danger}; "
                + $"save it as {ArtifactLayout.AdapterWeights} instead, with model.save_pretrained(folder, safe_serialization=True)");
        foreach (var path in new[] { configPath, weightsPath })
            if (!File.Exists(path)) throw new ModelFormatException(folder, $"holds no {Path.GetFileName(path)}, so it is no adapter");
        return new AdapterFolder(folder, configPath, weightsPath);
    }

    public string Folder { get; }
    public string ConfigPath { get; }

    /// <summary>What PEFT calls the method: <c>LORA</c>.</summary>
    public string Type { get; }
    public JsonFields Config { get; }
    public SafetensorsFile Weights { get; }

    public void Dispose()
    {
        Weights.Dispose();
        config.Dispose();
    }
}
