using Graft.Modeling.Kernels;

namespace Graft.Modeling.Files;

/// <summary>A quantised tensor of a GGUF file that stays where it is, in the mapped file.</summary>
/// <param name="file">Must outlive the matrix.</param>
/// <param name="sourceRow">Where row i lies in the file; null: in its place.</param>
internal sealed unsafe class GgufMatrix(GgufFile file, GgufTensor tensor, Func<long, long>? sourceRow = null)
    : HostPackedMatrix(tensor.Rows, tensor.RowElements)
{
    private readonly byte* source = file.Address(tensor);
    private readonly long rowBytes = tensor.RowBytes, rowBlocks = tensor.RowElements / tensor.Type.BlockElements;
    private readonly Dequantize widen = tensor.Widener(file.Path);

    public override string Format => tensor.Type.Name;
    public override long Bytes => tensor.Bytes;

    protected override void WidenRow(long row, float* target) =>
        widen(source + (sourceRow?.Invoke(row) ?? row) * rowBytes, target, rowBlocks);

    /// <summary>The file belongs to whoever opened it.</summary>
    public override void Dispose()
    {
    }
}
