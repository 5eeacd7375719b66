using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// A matrix that is kept in fewer bits than it computes in. Parts of it are widened as they are used; the whole never exists
/// unless it is asked for.
/// </summary>
internal abstract class PackedMatrix(long rows, long columns) : IDisposable
{
    public long Rows { get; } = rows;
    public long Columns { get; } = columns;

    /// <summary>What its numbers are kept as: <c>Q4_1</c>, <c>NF4</c>.</summary>
    public abstract string Format { get; }

    /// <summary>Bytes that it takes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Some rows in an element type that computes.</summary>
    /// <returns>(count, Columns), new, on the matrix's device.</returns>
    public abstract Tensor Widen(long first, long count, ScalarType dtype);

    /// <summary>x w' for few rows of x, where that is faster than widening first; else null.</summary>
    /// <param name="x">(N, Columns).</param>
    /// <returns>(N, Rows) in the type of x.</returns>
    public virtual Tensor? TryMultiply(Tensor x) => null;

    /// <summary>Rows by their numbers, as an embedding is looked up.</summary>
    /// <param name="ids">(N) int64.</param>
    /// <returns>(N, Columns).</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public abstract Tensor Gather(Tensor ids, ScalarType dtype);

    public abstract void Dispose();
}
