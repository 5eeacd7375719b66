using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>A GGUF file's weights under Hugging Face names and in its layout.</summary>
internal sealed class GgufWeights : IWeights
{
    private readonly GgufFile file;
    private readonly ModelConfig config;
    private readonly GgufNames names;
    private readonly Dictionary<string, GgufTensor> tensors = new(StringComparer.Ordinal);

    /// <param name="file">Closed with these weights.</param>
    /// <exception cref="ModelFormatException">Two tensors mean the same weight.</exception>
    public GgufWeights(GgufFile file, ModelConfig config)
    {
        (this.file, this.config) = (file, config);
        names = GgufArchitectures.Of(config.ModelType)!.Tensors;
        foreach (var tensor in file.Tensors.Values.Where(t => !names.OfConfiguration.Contains(t.Name)))
            if (!tensors.TryAdd(names.ToHuggingFace(tensor.Name), tensor))
                throw new ModelFormatException(file.Path,
                    $"the tensors '{tensor.Name}' and '{names.ToHuggingFace(tensor.Name)}' are the same weight");
    }

    public bool BacksTensors { get; private set; }
    public IReadOnlyCollection<string> Names => tensors.Keys;
    public IReadOnlyList<string> Files => [file.Path];
    public IReadOnlyList<long>? ShapeOf(string name) =>
        tensors.GetValueOrDefault(name)?.Shape is { } shape ? names.IsTurned(name) ? [.. shape.Reverse()] : shape : null;

    /// <summary>Over the mapped file where it has the very numbers in their places and the element type that is asked for.</summary>
    public unsafe Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype)
    {
        var tensor = tensors[name];
        var rows = names.StoredRow(name, tensor.Rows, config);
        var shift = names.Shift(name);
        if (rows is null && shift == 0 && TypeOf(tensor) == dtype && !names.IsTurned(name))
        {
            BacksTensors = true;
            return Aten.FromMemory((nint)file.Address(tensor), [.. shape], dtype);
        }
        using var matrix = new GgufMatrix(file, tensor, rows);
        using var wide = matrix.Widen(0, matrix.Rows, shift == 0 ? dtype : ScalarType.Float32);
        if (names.IsTurned(name))
        {
            using var turned = wide.t();
            return turned.contiguous();
        }
        if (shift == 0) return wide.view([.. shape]);
        using var scope = NewDisposeScope();
        return wide.sub(shift).to_type(dtype).view([.. shape]).MoveToOuterDisposeScope();
    }

    public PackedMatrix? Pack(string name)
    {
        var tensor = tensors[name];
        if (!tensor.Type.IsQuantized) return null;
        BacksTensors = true;
        return new GgufMatrix(file, tensor, names.StoredRow(name, tensor.Rows, config));
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
