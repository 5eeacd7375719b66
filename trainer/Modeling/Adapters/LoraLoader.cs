using Graft.Contract;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Reads a LoRA folder for serving. The tensors say what is tuned; the configuration must agree.</summary>
internal static class LoraLoader
{
    private const string Prefix = "base_model.model.", PartA = ".lora_A.weight", PartB = ".lora_B.weight";

    public static LoadedAdapter Load(BaseModel model, string name, string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelFormatException(folder, "is no folder");
        var (configPath, weightsPath) = (Path.Combine(folder, ArtifactLayout.AdapterConfig), Path.Combine(folder, ArtifactLayout.AdapterWeights));
        foreach (var path in new[] { configPath, weightsPath })
            if (!File.Exists(path)) throw new ModelFormatException(folder, $"holds no {Path.GetFileName(path)}, so it is no adapter");
        var config = PeftLoraConfig.From(configPath);
        using var file = SafetensorsFile.Open(weightsPath);
        var pairs = Pair(file, model.Transformer.Linears, config);
        var scale = LoraTuning.Scaling(config.Alpha, config.Rank, config.RsLora);
        var layers = new Dictionary<int, LinearAdapter>();
        foreach (var (site, a, b) in pairs) layers.Add(site.Index, ReadLayer(file, a, b, scale, model));
        var dtypes = pairs.Select(p => file.Tensors[p.A].Dtype).Distinct().ToList();
        return new LoadedAdapter(layers)
        {
            Name = name,
            Folder = folder,
            Bytes = pairs.Sum(p => (p.Site.InFeatures + p.Site.OutFeatures) * (long)config.Rank) * (model.DType == ScalarType.Float32 ? 4 : 2),
            Facts = new AdapterFacts
            {
                Method = "lora",
                Rank = config.Rank,
                Alpha = config.Alpha,
                RsLora = config.RsLora,
                Targets = LoraTargetNames.LastParts(pairs.Select(p => p.Site)),
                Dtype = string.Join(", ", dtypes),
                TrainableParameters = pairs.Sum(p => (p.Site.InFeatures + p.Site.OutFeatures) * (long)config.Rank),
                BaseDigest = model.Digest,
            },
        };
    }

    /// <summary>In the model's element type; the scale goes into B, so that serving does not multiply by it again and again.</summary>
    private static LoraLayer ReadLayer(SafetensorsFile file, string a, string b, double scale, BaseModel model)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Tensor Read(string key, double factor) =>
            file.Map(key).to_type(ScalarType.Float32).mul(factor).to_type(model.DType).to(model.Device).DetachFromDisposeScope();
        return new LoraLayer(Read(a, 1), Read(b, scale), 1);
    }

    private static List<(LinearSite Site, string A, string B)> Pair(
        SafetensorsFile file, IReadOnlyList<LinearSite> linears, PeftLoraConfig.Read config)
    {
        var (pairs, problems, used) = (new List<(LinearSite, string, string)>(), new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var site in linears)
        {
            var (a, b) = (Prefix + site.Name + PartA, Prefix + site.Name + PartB);
            var (hasA, hasB) = (file.Tensors.ContainsKey(a), file.Tensors.ContainsKey(b));
            used.Add(a);
            used.Add(b);
            if (!hasA && !hasB)
            {
                if (config.Targets?.Any(t => LoraTargetNames.Matches(site.Name, t)) == true) problems.Add($"no tensors for the target {site.Name}");
                continue;
            }
            if (hasA != hasB)
            {
                problems.Add($"the tensor '{(hasA ? b : a)}' is missing");
                continue;
            }
            CheckShape(file.Tensors[a], [config.Rank, site.InFeatures], problems);
            CheckShape(file.Tensors[b], [site.OutFeatures, config.Rank], problems);
            pairs.Add((site, a, b));
        }
        var strange = file.Tensors.Keys.Where(k => !used.Contains(k)).Order(StringComparer.Ordinal).ToList();
        if (strange.Count > 0) problems.Insert(0, $"{strange.Count} tensors belong to no linear layer of this base model: {Lists.Some(strange, 4)}");
        if (pairs.Count == 0 && problems.Count == 0) problems.Add("it holds no tensors");
        return problems.Count == 0 ? pairs
            : throw new ModelFormatException(file.Path, $"does not fit this base model: {string.Join("; ", problems.Take(12))}{(problems.Count > 12 ? $"; and {problems.Count - 12} more problems" : "")}");
    }

    private static void CheckShape(TensorInfo tensor, long[] wanted, List<string> problems)
    {
        if (!tensor.Shape.SequenceEqual(wanted))
            problems.Add($"'{tensor.Name}' is [{string.Join(", ", tensor.Shape)}], but base model and r ask for [{string.Join(", ", wanted)}]");
    }
}
