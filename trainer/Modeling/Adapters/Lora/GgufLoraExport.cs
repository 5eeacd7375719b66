using Graft.Modeling.Adapters;
using Graft.Modeling.Files;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// Writes a LoRA as one GGUF file for llama.cpp (<c>--lora</c>), laid out as its <c>convert_lora_to_gguf.py</c> does it, but right also
/// where that is not: rsLoRA's scale, scales that differ between modules, and GPT-2's turned weights.
/// </summary>
public static class GgufLoraExport
{
    private const string Weight = ".weight";

    /// <summary>Types that the matrices can be written in.</summary>
    public static IReadOnlyList<string> Types { get; } = ["F32", "F16", "BF16"];

    /// <summary>Not atomic: a caller that needs that writes beside and renames. The same adapter gives the same bytes.</summary>
    /// <param name="adapter">A folder as PEFT writes it.</param>
    /// <param name="model">Its base: a folder or a GGUF file, of which only the configuration is read.</param>
    /// <param name="type">One of <see cref="Types"/>.</param>
    /// <exception cref="ModelFormatException">It is no plain LoRA, or llama.cpp has no place for it; everything is named at once.</exception>
    public static void Write(string adapter, string model, string path, string type)
    {
        using var lora = StoredLora.Open(adapter, "be written for llama.cpp");
        var config = ConfigOf(model);
        var architecture = GgufArchitectures.Of(config.ModelType) ?? throw new ModelFormatException(model,
            $"model_type is '{config.ModelType}'; LoRAs of these can be written for llama.cpp: "
            + string.Join(", ", GgufArchitectures.ModelTypes));
        var names = architecture.Tensors;
        CheckPlaces(lora, names, config);
        // llama.cpp counts alpha / r by each matrix's own r. What a module counts otherwise goes into its B.
        var alpha = lora.Pairs.GroupBy(AlphaOf).MaxBy(g => g.Count())!.Key;
        var wanted = GgufType.Named(type)!;
        var outputs = lora.Pairs.SelectMany(pair =>
        {
            var stored = names.FromHuggingFace(pair.Module + Weight)!;
            var more = AlphaOf(pair) / alpha;
            return (GgufOutput[])
            [
                Output(stored + ".lora_a", pair.A.Shape, wanted, () => lora.Read(pair.A)),
                Output(stored + ".lora_b", pair.B.Shape, wanted,
                    () => Rows(lora.Read(pair.B), names.RowAt(pair.Module, pair.B.Shape[0], config)).mul(more)),
            ];
        });
        GgufWriter.Write(path,
            [
                ("general.architecture", architecture.Name),
                ("general.type", "adapter"),
                ("adapter.type", "lora"),
                ("adapter.lora.alpha", alpha),
            ],
            [.. outputs]);
    }

    /// <summary>Of rsLoRA it is alpha sqrt(r).</summary>
    private static float AlphaOf(StoredPair pair) => (float)(pair.Scale * pair.Rank);

    private static ModelConfig ConfigOf(string model)
    {
        if (Directory.Exists(model)) return ModelConfigReader.FromFolder(model);
        using var file = GgufFile.Open(model);
        return ModelConfigReader.FromGguf(file);
    }

    private static void CheckPlaces(StoredLora lora, GgufNames names, ModelConfig config)
    {
        var problems = new List<string>();
        var tables = lora.Pairs.Where(p => p.IsEmbedding).Select(p => p.Module).ToList();
        if (tables.Count > 0)
            problems.Add($"it tunes the table of embeddings ({string.Join(", ", tables)}), which is not written for llama.cpp; "
                + "merge it into its base instead");
        var homeless = lora.Pairs.Where(p => !p.IsEmbedding && names.FromHuggingFace(p.Module + Weight) is null)
            .Select(p => p.Module).ToList();
        if (homeless.Count > 0)
            problems.Add($"{homeless.Count} modules have no name in llama.cpp's {config.ModelType}: {Lists.Some(homeless, 4)}");
        if (config.TiedEmbeddings && lora.Pairs.Any(p => p.Module + Weight == MergedWeights.Head))
            problems.Add("it tunes lm_head, which is the table of embeddings in this base; llama.cpp leaves it out, so merge it into its "
                + "base instead");
        foreach (var pair in lora.Pairs.Where(p => p.Scale == 0)) problems.Add($"'{pair.Module}' counts nothing: its alpha is 0");
        if (problems.Count > 0) throw new ModelFormatException(lora.Folder.Folder, string.Join("; ", problems));
    }

    private static Tensor Rows(Tensor b, Func<long, long>? rowAt) => rowAt is null ? b
        : b.index_select(0, tensor(Enumerable.Range(0, (int)b.size(0)).Select(i => rowAt(i)).ToArray()));

    private static GgufOutput Output(string name, IReadOnlyList<long> shape, GgufType type, Func<Tensor> make) =>
        new(name, type, shape, shape[0] * shape[1] * type.BlockBytes, stream =>
        {
            using var scope = NewDisposeScope();
            using var guard = no_grad();
            stream.Write(GgufQuantizer.Quantise(make().contiguous().data<float>().ToArray(), type));
        });
}
