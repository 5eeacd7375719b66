using System.Runtime.Intrinsics;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// What a matrix became. Its elements are taken row after row, in blocks of <see cref="Nf4.Block"/>; the last is filled up with zeros.
/// </summary>
/// <param name="Codes">(B, 32) uint8: element i of a block in the low half of byte i, element i + 32 in its high half.</param>
/// <param name="Scales">(B): float32, the blocks' largest magnitudes; or uint8, numbers of the dynamic map.</param>
/// <param name="Coarse">(ceil(B / 256)) float32: with uint8 scales, what they are multiplied by.</param>
/// <param name="Offset">With uint8 scales, what is added to them: the scales' mean.</param>
internal sealed record Nf4Parts(Tensor Codes, Tensor Scales, Tensor? Coarse, float Offset) : IDisposable
{
    public long Bytes => Codes.numel() + Scales.numel() * Scales.element_size() + (Coarse?.numel() ?? 0) * 4;

    public Nf4Parts To(Device device) => new(Codes.to(device), Scales.to(device), Coarse?.to(device), Offset);

    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
        Coarse?.Dispose();
    }
}

/// <summary>Quantises to the four-bit NormalFloat of QLoRA (Dettmers et al. 2023, arXiv:2305.14314).</summary>
internal static unsafe class Nf4
{
    /// <summary>Elements that share a scale.</summary>
    public const int Block = 64;

    /// <summary>Scales that share a scale, where they are quantised too.</summary>
    public const int CoarseBlock = 256;

    /// <param name="weight">(out, in) float32, on the processor, contiguous.</param>
    /// <param name="device">Where it is kept.</param>
    public static PackedMatrix Quantise(Tensor weight, bool doubleQuant, Device device)
    {
        var parts = Parts(weight, doubleQuant);
        if (device.type == TorchSharp.DeviceType.CPU) return new Nf4Matrix(parts, weight.size(0), weight.size(1));
        using (parts) return new Nf4DeviceMatrix(parts.To(device), weight.size(0), weight.size(1));
    }

    public static Nf4Parts Parts(Tensor weight, bool doubleQuant)
    {
        var elements = weight.numel();
        var blocks = (elements + Block - 1) / Block;
        var codes = empty([blocks, Block / 2], ScalarType.Byte).DetachFromDisposeScope();
        var scales = empty([blocks], ScalarType.Float32).DetachFromDisposeScope();
        float* from = (float*)Aten.DataPointer(weight), scale = (float*)Aten.DataPointer(scales);
        var code = (byte*)Aten.DataPointer(codes);
        RowSplit.Run(blocks, Block, (first, end) =>
        {
            var last = stackalloc float[Block];
            for (var b = first; b < end; b++)
            {
                var source = from + b * Block;
                if (elements - b * Block < Block)
                {
                    new Span<float>(last, Block).Clear();
                    new Span<float>(source, (int)(elements - b * Block)).CopyTo(new Span<float>(last, Block));
                    source = last;
                }
                scale[b] = QuantiseBlock(source, code + b * (Block / 2));
            }
        });
        GC.KeepAlive(weight);
        return doubleQuant ? QuantiseScales(codes, scales) : new Nf4Parts(codes, scales, null, 0);
    }

    /// <summary>To the nearest level of x / max |x|, of two equally near ones to the lower.</summary>
    /// <returns>max |x|.</returns>
    private static float QuantiseBlock(float* source, byte* codes)
    {
        var largest = Vector512<float>.Zero;
        for (var i = 0; i < Block; i += 16) largest = Vector512.Max(largest, Vector512.Abs(Vector512.Load(source + i)));
        var scale = 0f;
        for (var i = 0; i < 16; i++) scale = Math.Max(scale, largest[i]);
        var divisor = Vector512.Create(scale == 0 ? 1 : scale);
        for (var i = 0; i < Block / 2; i += 16)
        {
            var (low, high) = (Levels(Vector512.Load(source + i) / divisor), Levels(Vector512.Load(source + 32 + i) / divisor));
            var both = low | high << 4;
            for (var j = 0; j < 16; j++) codes[i + j] = (byte)both[j];
        }
        return scale;
    }

    /// <summary>How many of the middles between neighbouring levels lie below.</summary>
    private static Vector512<int> Levels(Vector512<float> x)
    {
        var level = Vector512<int>.Zero;
        for (var k = 1; k < Nf4Tables.Levels.Length; k++)
        {
            var middle = (Nf4Tables.Levels[k - 1] + Nf4Tables.Levels[k]) / 2;
            level -= Vector512.GreaterThan(x, Vector512.Create(middle)).AsInt32();
        }
        return level;
    }

    private static Nf4Parts QuantiseScales(Tensor codes, Tensor scales)
    {
        using (scales)
        {
            var count = scales.numel();
            var from = (float*)Aten.DataPointer(scales);
            var sum = 0.0;
            for (long i = 0; i < count; i++) sum += from[i];
            var offset = (float)(sum / count);
            var small = empty([count], ScalarType.Byte).DetachFromDisposeScope();
            var coarse = empty([(count + CoarseBlock - 1) / CoarseBlock], ScalarType.Float32).DetachFromDisposeScope();
            var to = (byte*)Aten.DataPointer(small);
            var group = (float*)Aten.DataPointer(coarse);
            var map = Nf4Tables.DynamicMap();
            for (long first = 0; first < count; first += CoarseBlock)
            {
                var end = Math.Min(count, first + CoarseBlock);
                var largest = 0f;
                for (var i = first; i < end; i++) largest = Math.Max(largest, Math.Abs(from[i] - offset));
                group[first / CoarseBlock] = largest;
                for (var i = first; i < end; i++) to[i] = Nearest(map, largest == 0 ? 0 : (from[i] - offset) / largest);
            }
            return new Nf4Parts(codes, small, coarse, offset);
        }
    }

    private static byte Nearest(float[] map, float value)
    {
        var at = Array.BinarySearch(map, value);
        if (at >= 0) return (byte)at;
        var above = Math.Clamp(~at, 1, map.Length - 1);
        return (byte)(value - map[above - 1] <= map[above] - value ? above - 1 : above);
    }
}
