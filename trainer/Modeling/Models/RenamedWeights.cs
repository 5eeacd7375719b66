using Graft.Modeling.Files;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Weights of a file under the names that the modules have.</summary>
internal sealed class RenamedWeights : IWeights
{
    private readonly IWeights stored;
    private readonly Dictionary<string, string> storedNames = new(StringComparer.Ordinal);

    /// <param name="nameOf">A weight's name by its name in the file; null: it is left out.</param>
    /// <exception cref="ModelFormatException">Two weights of the file mean the same.</exception>
    public RenamedWeights(string path, IWeights stored, Func<string, string?> nameOf)
    {
        this.stored = stored;
        foreach (var name in stored.Names)
            if (nameOf(name) is { } own && !storedNames.TryAdd(own, name))
                throw new ModelFormatException(path, $"the tensors '{storedNames[own]}' and '{name}' are the same weight");
    }

    public bool BacksTensors => stored.BacksTensors;
    public IReadOnlyCollection<string> Names => storedNames.Keys;
    public IReadOnlyList<string> Files => stored.Files;
    public IReadOnlyList<long>? ShapeOf(string name) => storedNames.TryGetValue(name, out var own) ? stored.ShapeOf(own) : null;
    public Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype) => stored.Read(storedNames[name], shape, dtype);
    public PackedMatrix? Pack(string name) => stored.Pack(storedNames[name]);
    public void Dispose() => stored.Dispose();
}
