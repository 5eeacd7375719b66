using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>Facts of a GGUF file from its metadata and the list of its tensors.</summary>
internal static class GgufInspector
{
    private const string PartA = ".lora_a", PartB = ".lora_b", Weight = ".weight";

    /// <exception cref="ModelFormatException">It cannot be read, or is an adapter of a kind that nobody here knows.</exception>
    public static Inspected Read(string path)
    {
        if (!path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new ModelFormatException(path, "is neither an adapter nor a model: give a folder, or a .gguf file");
        using var file = GgufFile.Open(path);
        if (file.Text("general.type") != "adapter") return new Inspected(InspectedKind.GgufModel, null);
        if (file.Text("adapter.type") is var type && type != "lora")
            throw new ModelFormatException(path, $"holds an adapter of the type '{type}', and only lora is known");
        var parts = file.Tensors.Values.Where(t => t.Name.EndsWith(PartA, StringComparison.Ordinal)).ToList();
        var rank = parts.Count == 0 ? (int?)null : (int)parts.Max(t => t.Shape[0]);
        var alpha = file.Fraction("adapter.lora.alpha");
        var facts = new AdapterFacts
        {
            Method = "lora",
            Rank = rank,
            MaxRank = rank,
            Alpha = alpha is null or 0 ? rank : alpha,
            Bias = "none",
            Mergeable = true,
            Targets = [.. parts.Select(t => Module(t.Name)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Dtype = string.Join(", ", file.Tensors.Values.Select(t => t.Type.Name).Distinct(StringComparer.Ordinal)),
            TrainableParameters = file.Tensors.Values.Sum(t => t.Shape.Aggregate(1L, (n, s) => n * s)),
            BaseDigest = "",
            ModelType = file.Text("general.architecture"),
            Task = "CAUSAL_LM",
            Bytes = new FileInfo(path).Length,
        };
        var strange = file.Tensors.Keys
            .Where(k => !k.EndsWith(PartA, StringComparison.Ordinal) && !k.EndsWith(PartB, StringComparison.Ordinal)).ToList();
        var refusal = strange.Count == 0 ? null
            : $"it holds tensors that are no part of a LoRA: {string.Join(", ", TensorGroups.Of(strange).Select(g => g.Name))}";
        return new Inspected(InspectedKind.GgufAdapter, facts, file.Text("general.base_model.0.name"), refusal);
    }

    /// <summary><c>blk.3.attn_q.weight.lora_a</c> is of <c>attn_q</c>.</summary>
    private static string Module(string tensor)
    {
        var name = tensor[..^PartA.Length];
        if (name.EndsWith(Weight, StringComparison.Ordinal)) name = name[..^Weight.Length];
        return name[(name.LastIndexOf('.') + 1)..];
    }
}
