using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>A GGUF file's weights under Hugging Face names and in its layout.</summary>
internal sealed class GgufWeights : IWeights
{
    private readonly GgufFile file;
    private readonly ModelConfig config;
    private readonly Dictionary<string, GgufTensor> tensors = new(StringComparer.Ordinal);

    /// <param name="file">Closed with these weights.</param>
    /// <exception cref="ModelFormatException">Two tensors mean the same weight.</exception>
    public GgufWeights(GgufFile file, ModelConfig config)
    {
        (this.file, this.config) = (file, config);
        foreach (var tensor in file.Tensors.Values.Where(t => t.Name != GgufNames.RopeFactors))
            if (!tensors.TryAdd(GgufNames.ToHuggingFace(tensor.Name), tensor))
                throw new ModelFormatException(file.Path,
                    $"the tensors '{tensor.Name}' and '{GgufNames.ToHuggingFace(tensor.Name)}' are the same weight");
    }

    public bool BacksTensors { get; private set; }
    public IReadOnlyCollection<string> Names => tensors.Keys;
    public IReadOnlyList<string> Files => [file.Path];
    public IReadOnlyList<long>? ShapeOf(string name) => tensors.GetValueOrDefault(name)?.Shape;

    /// <summary>Over the mapped file where it has the rows in their places and the element type that is asked for.</summary>
    public unsafe Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype)
    {
        var tensor = tensors[name];
        var rows = GgufNames.StoredRow(name, tensor.Rows, config);
        if (rows is null && TypeOf(tensor) == dtype)
        {
            BacksTensors = true;
            return Aten.FromMemory((nint)file.Address(tensor), [.. shape], dtype);
        }
        using var matrix = new GgufMatrix(file, tensor, rows);
        using var wide = matrix.Widen(0, matrix.Rows, dtype);
        return wide.view([.. shape]);
    }

    public PackedMatrix? Pack(string name)
    {
        var tensor = tensors[name];
        if (!tensor.Type.IsQuantized) return null;
        BacksTensors = true;
        return new GgufMatrix(file, tensor, GgufNames.StoredRow(name, tensor.Rows, config));
    }

    /// <summary>The element type of a tensor that is plain floats; null of a quantised one.</summary>
    public ScalarType? TypeOf(string name) => TypeOf(tensors[name]);

    public void Dispose() => file.Dispose();

    private static ScalarType? TypeOf(GgufTensor tensor) => tensor.Type.Name switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        _ => null,
    };
}
