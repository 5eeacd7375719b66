using Graft.Modeling;
using Graft.Trainer.Data;
using static TorchSharp.torch;

namespace Graft.Trainer.Training;

/// <summary>Examples as tensors, which know what they teach.</summary>
internal interface IBatch : IDisposable
{
    /// <param name="examples">All of one kind.</param>
    static IBatch Of(IReadOnlyList<Example> examples, BaseModel model, LoadedAdapter? adapter = null) =>
        examples[0] is LabeledExample
            ? new LabelBatch([.. examples.Cast<LabeledExample>()], model, adapter) : new TokenBatch(examples, model, adapter);

    /// <summary>Sum of the losses of what is supervised, tokens or labels, in nats: a float32 scalar.</summary>
    Tensor LossSum(BaseModel model);
}
