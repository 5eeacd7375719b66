using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>A table of embeddings that trains whole in the base's place, as PEFT's <c>modules_to_save</c> do.</summary>
/// <param name="own">(V, C).</param>
internal sealed class ReplacedEmbedding(Tensor own) : EmbeddingAdapter
{
    /// <summary>Begins with what the table has.</summary>
    /// <param name="name">The module's name in the file that the tensor is stored in.</param>
    public static ReplacedEmbedding Take(AdapterTensors tensors, WeightMatrix table, string name) => new(tensors.Take(
        name + ".weight", [table.Rows, table.Columns],
        (_, _) => table.Widened().detach().cpu().to(ScalarType.Float32, copy: true)));

    public override Tensor Gather(Tensor ids, WeightMatrix table) => own.index_select(0, ids).to_type(table.DType);

    public override Tensor Merge(Tensor table) => own.to_type(table.dtype).detach().clone();

    public override void Dispose() => own.Dispose();
}
