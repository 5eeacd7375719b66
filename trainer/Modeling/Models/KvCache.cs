using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Keys and values of one sequence in every layer. A forward pass over a segment that names it appends the segment's.</summary>
public sealed class KvCache : IDisposable
{
    private readonly Tensor store;   // (layers, 2, G, capacity, D)

    /// <param name="capacity">Longest sequence in tokens; memory for it is reserved at once.</param>
    public KvCache(ModelConfig config, int capacity, Device device, ScalarType dtype)
    {
        Capacity = capacity;
        store = empty([config.Layers, 2, config.KvHeads, capacity, config.HeadSize], dtype, device).DetachFromDisposeScope();
    }

    public int Capacity { get; }

    /// <summary>Tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets what lies behind the first <paramref name="length"/> tokens.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Bytes that a cache of that capacity reserves.</summary>
    public static long BytesFor(ModelConfig config, int capacity, ScalarType dtype) =>
        2L * config.Layers * config.KvHeads * config.HeadSize * capacity * (dtype == ScalarType.Float32 ? 4 : 2);

    /// <summary>Writes a layer's keys and values of a segment behind what is held.</summary>
    /// <param name="key">(T, G, D).</param>
    /// <param name="value">(T, G, D).</param>
    /// <returns>All keys and values of the layer, both (1, G, S, D).</returns>
    internal (Tensor Key, Tensor Value) Append(int layer, Tensor key, Tensor value)
    {
        var added = (int)key.size(0);
        using var keys = store[layer, 0];
        using var values = store[layer, 1];
        Write(keys, key);
        Write(values, value);
        return (keys.narrow(1, 0, Length + added).unsqueeze(0), values.narrow(1, 0, Length + added).unsqueeze(0));

        void Write(Tensor all, Tensor some)
        {
            using var place = all.narrow(1, Length, added);
            using var turned = some.transpose(0, 1);
            place.copy_(turned);
        }
    }

    internal void Advance(int tokens) => Length += tokens;

    public void Dispose() => store.Dispose();
}
