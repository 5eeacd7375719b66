using System.Text.Json;
using Graft.Modeling.Files;
using Graft.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>A model folder as one GGUF file of the llama architecture, as llama.cpp's <c>convert_hf_to_gguf.py</c> lays it out.</summary>
internal sealed class GgufExport
{
    /// <summary>llama.cpp's numbers for a whole file's type (<c>general.file_type</c>).</summary>
    private static readonly Dictionary<string, uint> FileTypes = new(StringComparer.Ordinal)
    {
        ["F32"] = 0, ["F16"] = 1, ["Q4_0"] = 2, ["Q8_0"] = 7, ["BF16"] = 32,
    };

    private readonly string folder;
    private readonly ModelPlan plan;
    private readonly JsonFields fields;

    private GgufExport(string folder, JsonElement config)
    {
        this.folder = folder;
        plan = ModelConfigReader.PlanOfFolder(folder, ModelTask.Generation);
        fields = new JsonFields(Path.Combine(folder, ModelConfigReader.FileName), config);
        if (plan.Config.ModelType is not ("llama" or "mistral"))
            throw Bad($"model_type is '{plan.Config.ModelType}'; only llama and mistral can be written to GGUF");
    }

    /// <param name="type">Of all matrices; null: what the folder has. A matrix whose rows do not fit a quantised type becomes F16;
    /// vectors are F32.</param>
    /// <param name="path">The file to write.</param>
    /// <exception cref="ModelFormatException">The model cannot be said in GGUF.</exception>
    public static void Write(string folder, string? type, string path, TrustedRoot root)
    {
        root.Check(folder);
        using var config = ModelConfigReader.Parse(Path.Combine(folder, ModelConfigReader.FileName));
        var export = new GgufExport(folder, config.RootElement);
        using var stored = SafetensorsWeights.Open(folder, root);
        using var weights = new RenamedWeights(folder, stored, export.plan.NameOf);
        var named = type ?? SafetensorsWriter.NameOf(export.plan.Config.StoredType);
        if (GgufType.Named(named) is not { } wanted || !FileTypes.TryGetValue(named, out var fileType))
            throw new ModelFormatException(path, $"cannot be written as {named}; there are {string.Join(", ", GgufQuantizer.Names)}");
        var tensors = export.Tensors(weights, wanted).ToList();
        GgufWriter.Write(path,
            [.. export.Metadata(fileType),
            .. GgufVocabularyWriter.Metadata(folder, export.plan.Config.VocabularySize, export.plan.Config)], tensors);
    }

    private ModelFormatException Bad(string problem) => new(Path.Combine(folder, ModelConfigReader.FileName), problem);

    private IEnumerable<(string, object)> Metadata(uint fileType)
    {
        var c = plan.Config;
        if (c.ModelType == "mistral" && fields.Integer("sliding_window") is { } window)
            throw Bad($"sliding_window is {window}, which GGUF's llama architecture cannot say");
        if (plan.Ropes is not [var rope] || rope.Size != c.HeadSize)
            throw Bad("its rotary positions turn only a part of each head, which cannot be written to GGUF");
        yield return ("general.architecture", "llama");
        yield return ("general.name", Path.GetFileName(folder.TrimEnd('/')));
        yield return ("general.file_type", fileType);
        yield return ("general.quantization_version", 2u);
        yield return ("llama.vocab_size", (uint)c.VocabularySize);
        yield return ("llama.context_length", (uint)c.MaxPositions);
        yield return ("llama.embedding_length", (uint)c.HiddenSize);
        yield return ("llama.block_count", (uint)c.Layers);
        yield return ("llama.feed_forward_length", (uint)c.IntermediateSize);
        yield return ("llama.attention.head_count", (uint)c.Heads);
        yield return ("llama.attention.head_count_kv", (uint)c.KvHeads);
        yield return ("llama.attention.key_length", (uint)c.HeadSize);
        yield return ("llama.attention.value_length", (uint)c.HeadSize);
        yield return ("llama.attention.layer_norm_rms_epsilon", (float)c.NormEpsilon);
        yield return ("llama.rope.dimension_count", (uint)c.HeadSize);
        yield return ("llama.rope.freq_base", (float)Theta);
        var scaling = RopeReader.Scaling(fields);
        switch (RopeType)
        {
            case "linear":
            case "yarn":
                yield return ("llama.rope.scaling.type", RopeType);
                yield return ("llama.rope.scaling.factor", (float)(scaling!.Number("factor") ?? 1));
                if (RopeType == "linear") break;
                if (scaling.Has("attention_factor") || scaling.Has("mscale")
                    || scaling.Flag("truncate") == false) throw Bad("its YaRN scaling has options that GGUF cannot say");
                if (Original(scaling) is { } original) yield return ("llama.rope.scaling.original_context_length", (uint)original);
                if (scaling.Number("beta_fast") is { } fast) yield return ("llama.rope.scaling.yarn_beta_fast", (float)fast);
                if (scaling.Number("beta_slow") is { } slow) yield return ("llama.rope.scaling.yarn_beta_slow", (float)slow);
                break;
        }
    }

    private string RopeType =>
        RopeReader.Scaling(fields) is { } scaling ? scaling.Text("rope_type") ?? scaling.Text("type") ?? "default" : "default";

    private double Theta => RopeReader.Scaling(fields)?.Number("rope_theta") ?? fields.Number("rope_theta") ?? 10_000;

    private int? Original(JsonFields scaling) =>
        fields.Integer("original_max_position_embeddings") ?? scaling.Integer("original_max_position_embeddings");

    private IEnumerable<GgufOutput> Tensors(RenamedWeights weights, GgufType wanted)
    {
        if (RopeFactors() is { } factors) yield return factors;
        foreach (var name in weights.Names.Order(StringComparer.Ordinal))
        {
            if (name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)
                || (name == "lm_head.weight" && plan.Config.TiedEmbeddings)) continue;
            var own = GgufNames.FromHuggingFace(name) ?? throw new ModelFormatException(folder, $"the weight '{name}' has no name in GGUF");
            if (name.EndsWith(".bias", StringComparison.Ordinal)) throw new ModelFormatException(folder,
                $"the bias '{name}' cannot be written to GGUF");
            var shape = weights.ShapeOf(name)!;
            var type = shape.Count == 1 ? GgufType.Named("F32")! : shape[^1] % wanted.BlockElements != 0 ? GgufType.Named("F16")! : wanted;
            var bytes = shape.Aggregate(1L, (a, b) => a * b) / type.BlockElements * type.BlockBytes;
            yield return new GgufOutput(own, type, shape, bytes, stream => WriteRows(stream, weights, name, shape, type));
        }
    }

    /// <summary>Some rows at a time, in the order of llama.cpp.</summary>
    private void WriteRows(Stream stream, RenamedWeights weights, string name, IReadOnlyList<long> shape, GgufType type)
    {
        const long elementsAtOnce = 1 << 22;
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var stored = weights.Read(name, shape, ScalarType.Float32);
        var rows = shape.Count == 1 ? 1 : shape[0];
        var columns = shape[^1];
        var rowAt = shape.Count == 1 ? null : GgufNames.RowAt(name, rows, plan.Config);
        var matrix = stored.view(rows, columns);
        var step = Math.Max(1, elementsAtOnce / columns);
        for (long first = 0; first < rows; first += step)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(step, rows - first);
            var part = rowAt is null ? matrix.narrow(0, first, count)
                : matrix.index_select(0, tensor(Enumerable.Range(0, (int)count).Select(i => rowAt(first + i)).ToArray()));
            stream.Write(GgufQuantizer.Quantise(part.contiguous().data<float>().ToArray(), type));
        }
    }

    /// <summary>What divides each rotary frequency, where neither metadata nor nothing says it.</summary>
    private GgufOutput? RopeFactors()
    {
        switch (RopeType)
        {
            case "default" or "linear" or "yarn":
                return null;
            case "llama3":
                break;
            case "longrope" when plan.Ropes is [{ Amplitude: 1 } rope]
                && rope.Frequencies(1).SequenceEqual(rope.Frequencies(plan.Config.MaxPositions)):
                break;
            case var other:
                throw Bad($"rope scaling '{other}' cannot be written to GGUF");
        }
        using var scope = NewDisposeScope();
        var plain = Rope.Plain(Theta, plan.Config.HeadSize).data<float>().ToArray();
        var factors = plan.Ropes[0].Frequencies(1).Zip(plain, (scaled, unscaled) => unscaled / scaled).ToArray();
        var type = GgufType.Named("F32")!;
        return new GgufOutput(GgufNames.RopeFactors, type, [factors.Length], factors.Length * 4L, stream =>
            stream.Write(GgufQuantizer.Quantise(factors, type)));
    }
}
