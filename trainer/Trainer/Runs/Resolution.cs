using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using static TorchSharp.torch;

namespace Graft.Trainer.Runs;

/// <summary>Values that the job leaves to the trainer.</summary>
internal static class Resolution
{
    /// <summary>
    /// Tokens that pass through the model at once. A processor's products are at full speed long before this many, and memory
    /// goes with it; a GPU wants more to be busy.
    /// </summary>
    public static int TokensAtOnce(Device device) => device.type == TorchSharp.DeviceType.CPU ? 384 : 16384;

    public static ResolvedOptions Of(TrainingJob job, BaseModel model, TuningMethod method, EncodedRows train) => new(
        job.Training.LearningRate ?? method.DefaultLearningRate,
        job.Training.MicroBatchSize ?? Examples(job.Training.BatchSize, train, model.Transformer.LeadOf(null).Tokens, TokensAtOnce(model.Device)),
        Precisions.Of(model.DType),
        model.Device.ToString());

    /// <summary>As many examples of mean length, virtual tokens included, as the bound on tokens holds.</summary>
    private static int Examples(int batchSize, EncodedRows train, int leadTokens, int tokens)
    {
        long count = train.Examples.Count;
        return (int)Math.Clamp(tokens * count / Math.Max(1, train.Tokens + leadTokens * count), 1, batchSize);
    }
}
