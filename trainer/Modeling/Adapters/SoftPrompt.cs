using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Vectors that go through the network before each text as if they were tokens of it.</summary>
internal abstract class SoftPrompt : IDisposable
{
    public abstract int Length { get; }

    /// <summary>Once for a pass, whatever the number of texts.</summary>
    /// <returns>(P, C) in that element type.</returns>
    public abstract Tensor Vectors(ScalarType dtype);

    public abstract void Dispose();
}
