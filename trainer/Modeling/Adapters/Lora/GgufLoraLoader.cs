using Graft.Contract;
using Graft.Modeling.Files;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Reads a LoRA as llama.cpp has it: one GGUF file whose tensors are called after the base's (<c>convert_lora_to_gguf.py</c>). Its scale
/// is alpha / r by each tensor's own r, or 1 where alpha is 0.
/// </summary>
internal static class GgufLoraLoader
{
    private const string PartA = ".lora_a", PartB = ".lora_b", Weight = ".weight";

    private sealed record Pair(LinearSite Site, GgufTensor A, GgufTensor B)
    {
        public int Rank => (int)A.Shape[0];
        public long Parameters => (Site.InFeatures + Site.OutFeatures) * (long)Rank;
    }

    /// <exception cref="ModelFormatException">It is no LoRA or does not fit the model; every mismatch is listed at once.</exception>
    public static LoadedAdapter Load(BaseModel model, string name, string path, ScalarType dtype)
    {
        using var file = GgufFile.Open(path);
        var architecture = ArchitectureOf(model, path);
        var alpha = CheckKind(file, architecture.Name);
        var pairs = Pairs(file, model.Transformer.Linears, architecture.Tensors);
        var attachment = new Attachment();
        try
        {
            foreach (var pair in pairs)
                attachment.Add(pair.Site, Read(file, pair, alpha == 0 ? 1 : alpha / pair.Rank, model, dtype, architecture.Tensors));
        }
        catch
        {
            attachment.Dispose();
            throw;
        }
        var rank = pairs.Max(p => p.Rank);
        return new LoadedAdapter(attachment)
        {
            Name = name,
            Folder = path,
            Bytes = pairs.Sum(p => p.Parameters) * (dtype == ScalarType.Float32 ? 4 : 2),
            Facts = new AdapterFacts
            {
                Method = "lora",
                Rank = rank,
                MaxRank = rank,
                HasPatterns = pairs.Any(p => p.Rank != rank),
                Alpha = alpha == 0 ? rank : alpha,
                RsLora = false,
                Targets = LoraTargetNames.LastParts(pairs.Select(p => p.Site)),
                Dtype = string.Join(", ", pairs.Select(p => p.A.Type.Name).Distinct()),
                TrainableParameters = pairs.Sum(p => p.Parameters),
                BaseDigest = model.Digest,
                Bias = PeftLoraConfig.NameOf(LoraBias.None),
                Mergeable = true,
                ModelType = model.Config.ModelType,
                Task = "CAUSAL_LM",
            },
        };
    }

    /// <summary>What <see cref="Load"/> would say, of a model that need not have its weights.</summary>
    /// <exception cref="ModelFormatException">It is no LoRA or does not fit the model; every mismatch is listed at once.</exception>
    public static void Check(BaseModel shapes, string path)
    {
        using var file = GgufFile.Open(path);
        var architecture = ArchitectureOf(shapes, path);
        CheckKind(file, architecture.Name);
        Pairs(file, shapes.Transformer.Linears, architecture.Tensors);
    }

    private static GgufArchitecture ArchitectureOf(BaseModel model, string path) => GgufArchitectures.Of(model.Config.ModelType)
        ?? throw new ModelFormatException(path, $"a base model of the type '{model.Config.ModelType}' takes no adapter from a GGUF file");

    private static double CheckKind(GgufFile file, string architecture)
    {
        void Must(string key, string wanted)
        {
            if (file.Text(key) is var found && found != wanted)
                throw new ModelFormatException(file.Path, $"is no LoRA of a {architecture} model: '{key}' is '{found}', not '{wanted}'");
        }
        Must("general.type", "adapter");
        Must("adapter.type", "lora");
        Must("general.architecture", architecture);
        var alpha = file.Fraction("adapter.lora.alpha")
            ?? throw new ModelFormatException(file.Path, "lacks the metadata value 'adapter.lora.alpha'");
        return double.IsFinite(alpha) && alpha >= 0 ? alpha
            : throw new ModelFormatException(file.Path, $"'adapter.lora.alpha' is {alpha}; it must be at least 0");
    }

    private static List<Pair> Pairs(GgufFile file, IReadOnlyList<LinearSite> linears, GgufNames names)
    {
        var (pairs, problems, used) = (new List<Pair>(), new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var site in linears)
        {
            if (names.FromHuggingFace(site.Name + Weight) is not { } stored) continue;
            var (a, b) = (file.Tensors.GetValueOrDefault(stored + PartA), file.Tensors.GetValueOrDefault(stored + PartB));
            used.Add(stored + PartA);
            used.Add(stored + PartB);
            if (a is null && b is null) continue;
            if (a is null || b is null) problems.Add($"the tensor '{stored}{(a is null ? PartA : PartB)}' is missing");
            else if (a.Shape is not [var rank, var inFeatures] || inFeatures != site.InFeatures || rank is < 1 or > int.MaxValue)
                problems.Add($"'{a.Name}' is [{string.Join(", ", a.Shape)}]; the base model asks for [r, {site.InFeatures}]");
            else if (!b.Shape.SequenceEqual([site.OutFeatures, rank]))
                problems.Add($"'{b.Name}' is [{string.Join(", ", b.Shape)}]; base model and r ask for [{site.OutFeatures}, {rank}]");
            else pairs.Add(new Pair(site, a, b));
        }
        var strange = file.Tensors.Keys.Where(k => !used.Contains(k)).Order(StringComparer.Ordinal).ToList();
        if (strange.Count > 0) problems.Insert(0,
            $"{strange.Count} tensors belong to no linear layer of this base model: {Lists.Some(strange, 4)}");
        if (pairs.Count == 0 && problems.Count == 0) problems.Add("it holds no tensors");
        if (problems.Count == 0) return pairs;
        var more = problems.Count > 12 ? $"; and {problems.Count - 12} more problems" : "";
        throw new ModelFormatException(file.Path, $"does not fit this base model: {string.Join("; ", problems.Take(12))}{more}");
    }

    /// <summary>Rows of B lie as those of the base's weight do.</summary>
    private static LoraLayer Read(GgufFile file, Pair pair, double scale, BaseModel model, ScalarType dtype, GgufNames names)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Tensor Part(GgufTensor tensor, Func<long, long>? rows)
        {
            using var matrix = new GgufMatrix(file, tensor, rows);
            return matrix.Widen(0, matrix.Rows, ScalarType.Float32).to_type(dtype).to(model.Device).DetachFromDisposeScope();
        }
        return new LoraLayer(Part(pair.A, null), Part(pair.B, names.StoredRow(pair.Site.Name, pair.Site.OutFeatures, model.Config)), scale);
    }
}
