using Graft.Contract;
using Graft.Modeling.Adapters;

namespace Graft.Modeling;

/// <summary>A trained adapter beside its base model, for serving. Several may lie on one base; a segment says which it wants.</summary>
public sealed class LoadedAdapter : IDisposable
{
    internal LoadedAdapter(Attachment attachment) => Attachment = attachment;

    /// <summary>
    /// Reads a folder as PEFT writes it, or a GGUF file as llama.cpp reads it; a folder that holds nothing but the one file is that file.
    /// </summary>
    /// <exception cref="ModelFormatException">It cannot be read or does not fit the model; every mismatch is listed at once.</exception>
    /// <param name="root">What the adapter's files may not leave; null: <see cref="TrustedRoot.Named"/> of its path.</param>
    /// <param name="verified">Somebody has compared the files with their <c>manifest.json</c> already, if there is one.</param>
    public static LoadedAdapter Load(BaseModel model, string name, string path, TrustedRoot? root = null, bool verified = false)
    {
        var folder = Path.GetFullPath(path);
        root ??= TrustedRoot.Named(folder);
        if (!Directory.Exists(folder))
        {
            root.Resolve(folder);
            return GgufLoraLoader.Load(model, name, folder);
        }
        root.Check(folder);
        if (!verified) ArtifactCheck.Verify(folder, root);
        return !File.Exists(Path.Combine(folder, ArtifactLayout.AdapterConfig)) && Directory.GetFiles(folder, "*.gguf") is [var only]
            ? GgufLoraLoader.Load(model, name, only) : LoadFolder(model, name, folder);
    }

    public required string Name { get; init; }
    public required string Folder { get; init; }
    public required AdapterFacts Facts { get; init; }

    /// <summary>Bytes in memory.</summary>
    public required long Bytes { get; init; }

    /// <summary>What stands before each text that it answers.</summary>
    public Lead Lead => Attachment.Lead;

    internal Attachment Attachment { get; }

    public void Dispose() => Attachment.Dispose();

    private static LoadedAdapter LoadFolder(BaseModel model, string name, string path)
    {
        using var folder = AdapterFolder.Open(path);
        // Its attachment is the loaded adapter's, or goes with what failed.
        var method = TuningMethods.Of(folder);
        try
        {
            var stored = new StoredTensors(folder.Weights, model);
            var attachment = method.Build(model, stored);
            stored.Finish();
            return new LoadedAdapter(attachment)
            {
                Name = name,
                Folder = path,
                Bytes = stored.Parameters * (model.DType == TorchSharp.torch.ScalarType.Float32 ? 4 : 2),
                Facts = method.Facts(model) with { Dtype = stored.Dtype },
            };
        }
        catch (TuningException e)
        {
            method.Dispose();
            throw new ModelFormatException(folder.ConfigPath, $"does not fit this base model: {e.Message}");
        }
        catch
        {
            method.Dispose();
            throw;
        }
    }
}
