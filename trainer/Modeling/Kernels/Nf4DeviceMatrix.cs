using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>An NF4 matrix on any device, widened by torch's own operators.</summary>
internal sealed class Nf4DeviceMatrix : PackedMatrix
{
    private readonly Nf4Parts parts;
    private readonly Tensor levels, map;

    /// <param name="parts">On the device; owned by the matrix.</param>
    public Nf4DeviceMatrix(Nf4Parts parts, long rows, long columns) : base(rows, columns)
    {
        this.parts = parts;
        levels = tensor(Nf4Tables.Levels.ToArray()).to(parts.Codes.device).DetachFromDisposeScope();
        map = tensor(Nf4Tables.DynamicMap()).to(parts.Codes.device).DetachFromDisposeScope();
    }

    public override string Format => "NF4";
    public override long Bytes => parts.Bytes;

    public override Tensor Widen(long first, long count, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (from, elements) = (first * Columns, count * Columns);
        var firstBlock = from / Nf4.Block;
        var blocks = (from + elements + Nf4.Block - 1) / Nf4.Block - firstBlock;
        var codes = parts.Codes.narrow(0, firstBlock, blocks);                                   // (b, 32)
        var numbers = cat([codes.bitwise_and(15), codes.bitwise_right_shift(4)], 1);           // (b, 64)
        var values = levels.index_select(0, numbers.flatten().to_type(ScalarType.Int32)).view(blocks, Nf4.Block);
        var wide = values.mul_(Scales(firstBlock, blocks).unsqueeze(1)).flatten().narrow(0, from - firstBlock * Nf4.Block, elements);
        return wide.to_type(dtype, copy: true).view(count, Columns).MoveToOuterDisposeScope();
    }

    public override Tensor Gather(Tensor ids, ScalarType dtype) =>
        throw new NotSupportedException("NF4 is for linear layers; embeddings are not quantised to it.");

    public override void Dispose()
    {
        parts.Dispose();
        levels.Dispose();
        map.Dispose();
    }

    /// <returns>(count) float32.</returns>
    private Tensor Scales(long first, long count)
    {
        var some = parts.Scales.narrow(0, first, count);
        if (parts.Coarse is null) return some;
        var groups = arange(first, first + count, ScalarType.Int64, some.device).div(Nf4.CoarseBlock,
            RoundingMode.floor).to_type(ScalarType.Int64);
        return map.index_select(0, some.to_type(ScalarType.Int32)).mul_(parts.Coarse.index_select(0, groups)).add_(parts.Offset);
    }
}
