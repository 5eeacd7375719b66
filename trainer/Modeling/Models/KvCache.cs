using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Keys and values of one sequence in every layer. A forward pass over a segment that names it appends the segment's.</summary>
public sealed class KvCache : IDisposable
{
    private const int LeastTokens = 64;
    private Tensor store;   // (layers, 2, G, reserved, D)

    /// <param name="capacity">Longest sequence in tokens. Memory is reserved as the sequence grows.</param>
    public KvCache(ModelConfig config, int capacity, Device device, ScalarType dtype)
    {
        Capacity = capacity;
        Reserved = Math.Min(capacity, LeastTokens);
        store = empty([config.Layers, 2, config.KvHeads, Reserved, config.HeadSize], dtype, device).DetachFromDisposeScope();
    }

    public int Capacity { get; }

    /// <summary>Tokens that memory is reserved for.</summary>
    public int Reserved { get; private set; }

    /// <summary>Tokens held.</summary>
    public int Length { get; private set; }

    public ScalarType DType => store.dtype;

    /// <summary>Of those held, how many are no token's (<see cref="Prime"/>).</summary>
    internal int Primed { get; private set; }

    /// <summary>Begins with keys and values that are no token's.</summary>
    /// <param name="keysAndValues">(layers, 2, G, P, D).</param>
    /// <exception cref="InvalidOperationException">The cache holds something already.</exception>
    internal void Prime(Tensor keysAndValues)
    {
        if (Length > 0) throw new InvalidOperationException($"The cache holds {Length} tokens already.");
        var count = (int)keysAndValues.size(3);
        Reserve(count);
        using var place = store.narrow(3, 0, count);
        place.copy_(keysAndValues);
        (Length, Primed) = (count, count);
    }

    /// <returns>(layers, 2, G, S, D): a view of what is held.</returns>
    internal Tensor Held() => store.narrow(3, 0, Length);

    /// <summary>Forgets what lies behind the first <paramref name="length"/> tokens.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        (Length, Primed) = (length, Math.Min(Primed, length));
    }

    /// <summary>Bytes that a cache of so many tokens takes.</summary>
    public static long BytesFor(ModelConfig config, int capacity, ScalarType dtype) =>
        2L * config.Layers * config.KvHeads * config.HeadSize * capacity * (dtype == ScalarType.Float32 ? 4 : 2);

    /// <summary>Writes a layer's keys and values of a segment behind what is held.</summary>
    /// <param name="key">(T, G, D).</param>
    /// <param name="value">(T, G, D).</param>
    /// <returns>All keys and values so far: (1, G, S, D).</returns>
    internal (Tensor Key, Tensor Value) Append(int layer, Tensor key, Tensor value)
    {
        var added = (int)key.size(0);
        Reserve(Length + added);
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

    /// <summary>The same for one token on the processor, and in memory's terms.</summary>
    /// <param name="key">(N, G, D), contiguous, in the cache's element type, of which row <paramref name="row"/> is the token's.</param>
    /// <param name="value">(N, G, D).</param>
    /// <exception cref="InvalidOperationException">The cache is full, as when another pass has filled it since this one was made.</exception>
    /// <exception cref="ArgumentException">Keys or values are of another type or shape than the cache's.</exception>
    internal unsafe CachedTokens AppendOne(int layer, Tensor key, Tensor value, int row)
    {
        if (Length >= Capacity) throw new InvalidOperationException($"A cache of {Capacity} tokens is full.");
        Reserve(Length + 1);
        var (groups, size) = (store.size(2), store.size(4));
        Check(key);
        Check(value);
        var bytes = store.element_size() * size;
        var stride = bytes * Reserved;
        CachedTokens held = default;
        TensorMemory.Use<byte>(store, key, value, (all, newKey, newValue) =>
        {
            var keys = all + layer * 2 * groups * stride;
            var values = keys + groups * stride;
            Copy(newKey, keys);
            Copy(newValue, values);
            held = new CachedTokens(store, (nint)keys, (nint)values, Reserved * size, Length + 1);
        });
        return held;

        void Check(Tensor x)
        {
            if (x.dtype != store.dtype || x.dim() != 3 || x.size(0) <= row || x.size(1) != groups || x.size(2) != size || !x.is_contiguous())
                throw new ArgumentException($"({string.Join(", ", x.shape)}) {x.dtype} in a cache of ({groups}, {size}) {store.dtype} a token.");
        }

        void Copy(byte* from, byte* to)
        {
            for (var g = 0L; g < groups; g++)
                Buffer.MemoryCopy(from + (row * groups + g) * bytes, to + g * stride + Length * bytes, bytes, bytes);
        }
    }

    internal void Advance(int tokens) => Length += tokens;

    public void Dispose() => store.Dispose();

    /// <summary>Doubles what is reserved, so that a sequence is moved a few times in all.</summary>
    private void Reserve(int tokens)
    {
        if (tokens <= Reserved) return;
        var reserved = Math.Min(Capacity, Math.Max(tokens, 2 * Reserved));
        using var scope = NewDisposeScope();
        var (layers, groups, size) = (store.size(0), store.size(2), store.size(4));
        var grown = empty([layers, 2, groups, reserved, size], store.dtype, store.device).DetachFromDisposeScope();
        grown.narrow(3, 0, Length).copy_(store.narrow(3, 0, Length));
        store.Dispose();
        (store, Reserved) = (grown, reserved);
    }
}
