using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Keys and values that attention finds before those of each text, in every layer.</summary>
internal abstract class KeyValuePrefix : IDisposable
{
    public abstract int Length { get; }

    /// <summary>Once for a pass, whatever the number of texts.</summary>
    /// <returns>(layers, 2, G, P, D) in that element type: keys, then values, as a <see cref="KvCache"/> keeps them.</returns>
    public abstract Tensor KeysAndValues(ScalarType dtype);

    public abstract void Dispose();
}
