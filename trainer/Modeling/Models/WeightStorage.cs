namespace Graft.Modeling.Models;

internal enum Storage { Wide, AsInFile, Nf4 }

/// <summary>
/// How a matrix is kept in memory. Only frozen ones are packed. Where the job says nothing, a quantised matrix of a GGUF file
/// stays as it is in the mapped file on a processor; a GPU, which could not read it there, gets it widened.
/// </summary>
internal static class WeightStorage
{
    /// <param name="isLinear">A linear layer of the blocks; NF4 leaves embeddings and output heads as they are, as QLoRA does.</param>
    public static Storage Of(LoadOptions options, bool isLinear) => options switch
    {
        { Frozen: false } or { Quantization.None: not null } => Storage.Wide,
        { Quantization.Nf4: not null } when isLinear => Storage.Nf4,
        { Device.type: TorchSharp.DeviceType.CPU } => Storage.AsInFile,
        _ => Storage.Wide,
    };
}
