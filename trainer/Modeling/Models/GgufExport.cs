using Graft.Modeling.Files;
using Graft.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>A model folder as one GGUF file, as llama.cpp's <c>convert_hf_to_gguf.py</c> lays it out.</summary>
internal sealed class GgufExport
{
    /// <summary>llama.cpp's numbers for a whole file's type (<c>general.file_type</c>).</summary>
    private static readonly Dictionary<string, uint> FileTypes = new(StringComparer.Ordinal)
    {
        ["F32"] = 0, ["F16"] = 1, ["Q4_0"] = 2, ["Q8_0"] = 7, ["BF16"] = 32,
    };

    private readonly string folder;
    private readonly ModelPlan plan;
    private readonly GgufArchitecture own;
    private readonly GgufNames names;

    private GgufExport(string folder, ModelPlan plan, GgufArchitecture own) =>
        (this.folder, this.plan, this.own, names) = (folder, plan, own, own.Tensors);

    /// <param name="type">Of all matrices; null: what the folder has. A matrix whose rows do not fit a quantised type becomes F16;
    /// vectors are F32.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="modelName">What the model calls itself in the file.</param>
    /// <exception cref="ModelFormatException">The model cannot be said in GGUF.</exception>
    public static void Write(string folder, string? type, string path, TrustedRoot root, string modelName)
    {
        root.Check(folder);
        var source = Path.Combine(folder, ModelConfigReader.FileName);
        var plan = ModelConfigReader.PlanOfFolder(folder, ModelTask.Generation);
        var own = GgufArchitectures.Of(plan.Config.ModelType) ?? throw new ModelFormatException(source,
            $"model_type is '{plan.Config.ModelType}'; what can be written to GGUF: {string.Join(", ", GgufArchitectures.ModelTypes)}");
        using var config = ModelConfigReader.Parse(source);
        var said = GgufMetadata.Of(new JsonFields(source, config.RootElement), plan, own);
        var export = new GgufExport(folder, plan, own);
        using var stored = SafetensorsWeights.Open(folder, root);
        using var weights = new RenamedWeights(folder, stored, plan.NameOf);
        var named = type ?? SafetensorsWriter.NameOf(plan.Config.StoredType);
        if (GgufType.Named(named) is not { } wanted || !FileTypes.TryGetValue(named, out var fileType))
            throw new ModelFormatException(path, $"cannot be written as {named}; there are {string.Join(", ", GgufQuantizer.Names)}");
        var tensors = said.Tables.Select(Table).Concat(export.Tensors(weights, wanted)).ToList();
        GgufWriter.Write(path,
            [
                ("general.architecture", own.Name),
                ("general.name", modelName),
                ("general.file_type", fileType),
                ("general.quantization_version", 2u),
                .. said.Values,
                .. GgufVocabularyWriter.Metadata(folder, plan.Config.VocabularySize, plan.Config),
            ],
            tensors);
    }

    private static GgufOutput Table((string Name, float[] Values) table)
    {
        var type = GgufType.Named("F32")!;
        return new GgufOutput(table.Name, type, [table.Values.Length], table.Values.Length * 4L,
            stream => stream.Write(GgufQuantizer.Quantise(table.Values, type)));
    }

    private IEnumerable<GgufOutput> Tensors(RenamedWeights weights, GgufType wanted)
    {
        foreach (var name in weights.Names.Order(StringComparer.Ordinal))
        {
            if (name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)
                || (name == "lm_head.weight" && plan.Config.TiedEmbeddings)) continue;
            var called = names.FromHuggingFace(name)
                ?? throw new ModelFormatException(folder, $"the weight '{name}' has no name in GGUF's {own.Name} architecture");
            var shape = weights.ShapeOf(name)!;
            if (names.IsTurned(name)) shape = [.. shape.Reverse()];
            var type = shape.Count == 1 ? GgufType.Named("F32")! : shape[^1] % wanted.BlockElements != 0 ? GgufType.Named("F16")! : wanted;
            var bytes = shape.Aggregate(1L, (a, b) => a * b) / type.BlockElements * type.BlockBytes;
            yield return new GgufOutput(called, type, shape, bytes, stream => WriteRows(stream, weights, name, shape, type));
        }
    }

    /// <summary>Some rows at a time, in the order of llama.cpp.</summary>
    private void WriteRows(Stream stream, RenamedWeights weights, string name, IReadOnlyList<long> shape, GgufType type)
    {
        const long elementsAtOnce = 1 << 22;
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var stored = weights.Read(name, weights.ShapeOf(name)!, ScalarType.Float32);
        if (names.IsTurned(name)) stored = stored.t();
        if (names.Shift(name) is var shift and not 0) stored = stored.add(shift);
        var rows = shape.Count == 1 ? 1 : shape[0];
        var columns = shape[^1];
        var rowAt = shape.Count == 1 ? null : names.RowAt(name, rows, plan.Config);
        var matrix = stored.reshape(rows, columns);
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
}
