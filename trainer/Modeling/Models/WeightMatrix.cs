using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// The matrix of a linear layer or an embedding: a tensor, or packed in fewer bits. A packed one is frozen; what computes with
/// it (<see cref="Kernels.Product"/>) widens it in parts.
/// </summary>
public sealed class WeightMatrix : IDisposable
{
    private WeightMatrix(Tensor dense) => (Dense, DType, Rows, Columns) = (dense, dense.dtype, dense.size(0), dense.size(1));

    /// <param name="packed">Owned by this matrix.</param>
    /// <param name="dtype">The element type that it computes in.</param>
    internal WeightMatrix(PackedMatrix packed, ScalarType dtype) =>
        (Packed, DType, Rows, Columns) = (packed, dtype, packed.Rows, packed.Columns);

    /// <summary>(Rows, Columns); null when it is packed.</summary>
    public Tensor? Dense { get; private set; }

    public long Rows { get; private set; }
    public long Columns { get; private set; }

    /// <summary>The element type that it computes in.</summary>
    public ScalarType DType { get; }

    /// <summary>What a packed one is kept as: <c>Q4_1</c>, <c>NF4</c>; null when it is dense.</summary>
    public string? Format => Packed?.Format;

    /// <summary>Bytes in memory, or in the mapped file.</summary>
    public long Bytes => Packed?.Bytes ?? Dense!.numel() * Dense.element_size();

    internal PackedMatrix? Packed { get; private set; }

    internal bool RequiresGradient => Dense?.requires_grad ?? false;

    public static implicit operator WeightMatrix(Tensor dense) => new(dense);

    /// <summary>Rows by their numbers, in the graph of a dense matrix.</summary>
    /// <param name="ids">(N) int64.</param>
    /// <returns>(N, Columns).</returns>
    public Tensor Gather(Tensor ids) => Dense?.index_select(0, ids) ?? Packed!.Gather(ids, DType);

    /// <summary>A whole matrix as a new tensor, for whoever needs all of it at once.</summary>
    /// <returns>(Rows, Columns).</returns>
    public Tensor Widened() => Dense?.alias() ?? Packed!.Widen(0, Rows, DType);

    /// <summary>The same weight in another place, which can be given a tensor of its own (<see cref="Exchange"/>).</summary>
    internal WeightMatrix Alias() => Dense is { } dense ? dense : new WeightMatrix(Packed!, DType);

    /// <summary>Computes with another tensor, of the same element type, until the result is called.</summary>
    internal Action Exchange(Tensor dense)
    {
        var old = (Dense, Packed, Rows, Columns);
        (Dense, Packed, Rows, Columns) = (dense, null, dense.size(0), dense.size(1));
        return () => (Dense, Packed, Rows, Columns) = old;
    }

    public void Dispose()
    {
        Dense?.Dispose();
        Packed?.Dispose();
    }
}
