using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Graft.Modeling.Files;
using Graft.Modeling.Runtime;

namespace Graft.Modeling.Kernels;

/// <summary>An NF4 matrix in the processor's memory.</summary>
internal sealed unsafe class Nf4Matrix : HostPackedMatrix
{
    private readonly Nf4Parts parts;
    private readonly byte* codes, smallScales;
    private readonly float* scales, coarse;
    private readonly float[] map = Nf4Tables.DynamicMap();

    /// <param name="parts">Owned by the matrix.</param>
    public Nf4Matrix(Nf4Parts parts, long rows, long columns) : base(rows, columns)
    {
        this.parts = parts;
        codes = (byte*)Aten.DataPointer(parts.Codes);
        if (parts.Coarse is null)
        {
            scales = (float*)Aten.DataPointer(parts.Scales);
            return;
        }
        smallScales = (byte*)Aten.DataPointer(parts.Scales);
        coarse = (float*)Aten.DataPointer(parts.Coarse);
    }

    public override string Format => "NF4";
    public override long Bytes => parts.Bytes;

    protected override void WidenRow(long row, float* target)
    {
        var at = row * Columns;
        var end = at + Columns;
        var buffer = stackalloc float[Nf4.Block];
        while (at < end)
        {
            var (block, within) = (at / Nf4.Block, at % Nf4.Block);
            if (within == 0 && end - at >= Nf4.Block)
            {
                WidenBlock(block, target);
                target += Nf4.Block;
                at += Nf4.Block;
                continue;
            }
            // A row that does not begin or end with a block.
            WidenBlock(block, buffer);
            var count = Math.Min(Nf4.Block - within, end - at);
            Buffer.MemoryCopy(buffer + within, target, count * 4, count * 4);
            target += count;
            at += count;
        }
    }

    public override void Dispose() => parts.Dispose();

    private void WidenBlock(long block, float* target)
    {
        var scale = Vector512.Create(coarse == null ? scales[block]
            : map[smallScales[block]] * coarse[block / Nf4.CoarseBlock] + parts.Offset);
        var levels = Vector512.Create(Nf4Tables.Levels);
        for (var i = 0; i < Nf4.Block / 2; i += 16)
        {
            var both = Vector128.Load(codes + block * (Nf4.Block / 2) + i);
            (Look(levels, both & Vector128.Create((byte)15)) * scale).Store(target + i);
            (Look(levels, both >> 4) * scale).Store(target + i + 32);
        }
    }

    private static Vector512<float> Look(Vector512<float> levels, Vector128<byte> codes)
    {
        var numbers = GgufFloats.Integers(codes);
        return Avx512F.IsSupported ? Avx512F.PermuteVar16x32(levels, numbers) : Vector512.Shuffle(levels, numbers);
    }
}
