using Graft.Modeling.Adapters;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Writes a base model with an adapter in its weights.</summary>
public static class ModelMerging
{
    /// <summary>The most bytes of one file of weights that transformers writes.</summary>
    public const long DefaultShardBytes = SafetensorsShards.DefaultBytes;

    /// <summary>Refuses what <see cref="ToFolder"/> would refuse, before anything is computed.</summary>
    /// <exception cref="TuningException">The adapter cannot be put into these weights; the message says what can be done instead.</exception>
    public static void Check(BaseModel model, LoadedAdapter adapter, bool dequantize = false) =>
        MergedWeights.Of(model, adapter, dequantize).Dispose();

    /// <summary>
    /// A folder in Hugging Face layout. Layers are merged in float32 one at a time as they are written. Not atomic: a caller that needs
    /// that writes beside and renames.
    /// </summary>
    /// <param name="adapter">Loaded in float32, so that nothing of it is rounded before the sum is.</param>
    /// <param name="folder">An existing one.</param>
    /// <param name="dtype">Element type of all weights in the files.</param>
    /// <param name="dequantize">Packed weights are widened; else they are refused.</param>
    /// <exception cref="TuningException">The adapter cannot be put into these weights; the message says what can be done instead.</exception>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void ToFolder(
        BaseModel model, LoadedAdapter adapter, string folder, ScalarType dtype, bool dequantize = false,
        long maxShardBytes = DefaultShardBytes)
    {
        using var merged = MergedWeights.Of(model, adapter, dequantize);
        ModelWriter.Save(model, folder, dtype, merged, maxShardBytes);
    }
}
