using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>Where a model's weights come from, under their Hugging Face names.</summary>
internal interface IWeights : IDisposable
{
    /// <summary>Names that are there; empty for weights that are drawn as they are asked for.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The shape as stored, or null when there is no such weight.</summary>
    IReadOnlyList<long>? ShapeOf(string name);

    /// <summary>On the CPU, in that element type; may lie over a mapped file.</summary>
    Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype);

    /// <summary>
    /// A matrix as the file has it, in fewer bits than it computes in; null when it is not kept so. It is (out, in), whichever way
    /// Hugging Face has it, and lies over what <see cref="IDisposable.Dispose"/> closes.
    /// </summary>
    PackedMatrix? Pack(string name) => null;

    /// <summary>Whether something that was read lies over what <see cref="IDisposable.Dispose"/> closes.</summary>
    bool BacksTensors { get; }

    /// <summary>Files whose bytes decide what the model is, in the order of their names.</summary>
    IReadOnlyList<string> Files { get; }
}
