using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// The low-rank update of a table of embeddings: row i counts as itself + scale B A_i, A_i the i-th column of A. As in PEFT dropout does
/// not apply.
/// </summary>
/// <param name="a">(r, V).</param>
/// <param name="b">(C, r).</param>
internal sealed class LoraEmbedding(Tensor a, Tensor b, double scale) : EmbeddingAdapter
{
    private readonly TorchSharp.Scalar scaling = scale;

    public Tensor A { get; } = a;
    public Tensor B { get; } = b;
    public double Scale { get; } = scale;

    public override Tensor Gather(Tensor ids, WeightMatrix table)
    {
        var rows = A.index_select(1, ids).t().to_type(table.DType);                              // (N, r)
        return table.Gather(ids).add(nn.functional.linear(rows, B.to_type(table.DType)), alpha: scaling);
    }

    public override Tensor Merge(Tensor table) =>
        table.add(A.to_type(table.dtype).t().matmul(B.to_type(table.dtype).t()), alpha: scaling);

    public override void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
