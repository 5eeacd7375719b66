using System.Text.Json;
using Graft.Contract;
using Graft.Modeling.Models;

namespace Graft.Modeling.Adapters;

/// <summary>
/// An adapter's folder, as PEFT or as AdapterHub writes it, with its configuration read. Dispose it with the files of its weights.
/// </summary>
internal sealed class AdapterFolder : IDisposable
{
    /// <summary><see cref="Type"/> of AdapterHub's bottleneck adapters.</summary>
    public const string Bottleneck = "BOTTLENECK";

    /// <summary>What the weights end in that have a row for each label.</summary>
    private static readonly string[] LabelRows = [".score.weight", ".classifier.weight", ".classifier.out_proj.weight"];

    /// <summary>What trainers leave beside an adapter as pickles that are no weights.</summary>
    private static readonly string[] Besides = ["training_args", "optimizer", "scheduler", "scaler", "rng_state"];

    private readonly JsonDocument config;

    /// <exception cref="ModelFormatException">It is no adapter, or cannot be read.</exception>
    private AdapterFolder(string folder, string configPath)
    {
        (Folder, ConfigPath) = (folder, configPath);
        config = ModelConfigReader.Parse(configPath);
        try
        {
            Config = new JsonFields(configPath, config.RootElement);
            IsHub = !Config.Has("peft_type") && Config.Find("config") is { ValueKind: JsonValueKind.Object };
            Type = IsHub ? HubType() : Config.Text("peft_type")
                ?? throw new ModelFormatException(configPath, "peft_type is missing, so nobody knows what the adapter is");
            Weights = OpenWeights(IsHub ? ArtifactLayout.HubAdapterWeights : ArtifactLayout.AdapterWeights);
            if (IsHub && File.Exists(HeadConfigPath)) Head = OpenWeights(ArtifactLayout.HubHeadWeights);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <exception cref="ModelFormatException">It is no adapter, or cannot be read.</exception>
    public static AdapterFolder Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelFormatException(folder, "is no folder");
        var configPath = Path.Combine(folder, ArtifactLayout.AdapterConfig);
        return File.Exists(configPath) ? new AdapterFolder(folder, configPath)
            : throw new ModelFormatException(folder, $"holds no {ArtifactLayout.AdapterConfig}, so it is no adapter");
    }

    public string Folder { get; }
    public string ConfigPath { get; }

    /// <summary>What PEFT calls the method: <c>LORA</c>; or <see cref="Bottleneck"/>.</summary>
    public string Type { get; }

    /// <summary>AdapterHub's rather than PEFT's.</summary>
    public bool IsHub { get; }
    public JsonFields Config { get; }
    public SafetensorsFile Weights { get; }

    /// <summary>The classifier's head that AdapterHub stores beside an adapter.</summary>
    public SafetensorsFile? Head { get; }

    private string HeadConfigPath => Path.Combine(Folder, ArtifactLayout.HubHeadConfig);

    /// <summary>
    /// Labels that its classifier tells apart, in the order of the head's rows; <c>LABEL_0</c> and so on where it does not name them. Null: it
    /// is for no classifier.
    /// </summary>
    public IReadOnlyList<string>? Labels()
    {
        if (IsHub) return Head is null ? null : HubHeadConfig.Labels(HeadConfigPath);
        var task = Config.Text("task_type");
        if (task is not (null or "SEQ_CLS")) return null;
        var rows = Weights.Tensors.Values.Where(t => t.Shape.Count == 2 && LabelRows.Any(r => t.Name.EndsWith(r, StringComparison.Ordinal)))
            .Select(t => t.Shape[0]).ToList();
        if (task is null && rows.Count == 0) return null;
        if (rows is not [var count])
            throw new ModelFormatException(Weights.Path,
                "task_type is SEQ_CLS, but it holds no head of a classifier (score or classifier)");
        if (ManifestLabels.Of(Folder) is not { } named) return ConfigReading.Unnamed((int)count);
        return named.Count == count ? named
            : throw new ModelFormatException(Folder, $"manifest.json names {named.Count} labels, and the head has {count} rows");
    }

    public void Dispose()
    {
        Head?.Dispose();
        Weights?.Dispose();
        config.Dispose();
    }

    private string HubType() => Config.Object("config")!.Text("architecture") is not { } other ? Bottleneck
        : throw new ModelFormatException(ConfigPath,
            $"config.architecture is '{other}'; of AdapterHub's adapters the bottleneck ones can be loaded");

    private SafetensorsFile OpenWeights(string name)
    {
        var path = Path.Combine(Folder, name);
        if (File.Exists(path)) return SafetensorsFile.Open(path);
        var pickle = Directory.EnumerateFiles(Folder).Where(Pickles.Is).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
            .FirstOrDefault(f => !Besides.Any(b => f.StartsWith(b, StringComparison.Ordinal)));
        if (pickle is null)
            throw new ModelFormatException(Folder, name == ArtifactLayout.HubHeadWeights
                ? $"holds {ArtifactLayout.HubHeadConfig}, but no {name} with the head's weights" : $"holds no {name}, so it is no adapter");
        var remedy = IsHub ? "model.save_adapter(folder, name, use_safetensors=True)" : "model.save_pretrained(folder, safe_serialization=True)";
        throw new ModelFormatException(Folder,
            $"has its weights in {pickle}, {Pickles.Danger}; save it as {name} instead, with {remedy}");
    }
}
