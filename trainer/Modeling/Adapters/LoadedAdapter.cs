using Graft.Contract;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A trained adapter beside its base model, for serving. Several may lie on one base; a segment says which it wants.</summary>
public sealed class LoadedAdapter : IDisposable
{
    internal LoadedAdapter(Attachment attachment) => Attachment = attachment;

    /// <summary>
    /// Reads a folder as PEFT or AdapterHub writes it, or a GGUF file as llama.cpp reads it; a folder that holds nothing but the one file is that file.
    /// </summary>
    /// <exception cref="ModelFormatException">It cannot be read or does not fit the model; every mismatch is listed at once.</exception>
    /// <param name="root">What the adapter's files may not leave; null: <see cref="TrustedRoot.Named"/> of its path.</param>
    /// <param name="verified">Somebody has compared the files with their <c>manifest.json</c> already, if there is one.</param>
    /// <param name="dtype">Element type of its tensors; null: the model's, in which it is served. To be merged it wants all its bits.</param>
    public static LoadedAdapter Load(
        BaseModel model, string name, string path, TrustedRoot? root = null, bool verified = false, ScalarType? dtype = null)
    {
        var (found, isGguf) = Find(path, root, verified);
        return isGguf ? GgufLoraLoader.Load(model, name, found, dtype ?? model.DType)
            : LoadFolder(model, name, found, dtype ?? model.DType);
    }

    /// <summary>
    /// Finds out whether an adapter can be loaded onto a model, of which only the shapes need be there
    /// (<see cref="LoadOptions.ShapesOnly"/>), and compares its files with their <c>manifest.json</c>, if there is one.
    /// </summary>
    /// <exception cref="ModelFormatException">It cannot be read or does not fit the model; every mismatch is listed at once.</exception>
    public static void Check(BaseModel shapes, string path)
    {
        var (found, isGguf) = Find(path, root: null, verified: false);
        if (isGguf)
        {
            GgufLoraLoader.Check(shapes, found);
            return;
        }
        using var folder = AdapterFolder.Open(found);
        CheckTask(shapes, folder);
        CheckShapes(shapes, folder);
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

    /// <summary>The labels that an adapter's classifier tells apart; null where it is for no classifier. Reads no weights.</summary>
    /// <exception cref="ModelFormatException">It cannot be read.</exception>
    public static IReadOnlyList<string>? LabelsOf(string path)
    {
        if (!File.Exists(Path.Combine(path, ArtifactLayout.AdapterConfig))) return null;
        using var folder = AdapterFolder.Open(path);
        return folder.Labels();
    }

    /// <returns>The folder, or the GGUF file that it is or holds alone.</returns>
    private static (string Path, bool IsGguf) Find(string path, TrustedRoot? root, bool verified)
    {
        var folder = Path.GetFullPath(path);
        root ??= TrustedRoot.Named(folder);
        if (!Directory.Exists(folder))
        {
            root.Resolve(folder);
            return (folder, true);
        }
        root.Check(folder);
        if (!verified) ArtifactCheck.Verify(folder, root);
        return !File.Exists(Path.Combine(folder, ArtifactLayout.AdapterConfig)) && Directory.GetFiles(folder, "*.gguf") is [var only]
            ? (only, true) : (folder, false);
    }

    private static void CheckTask(BaseModel model, AdapterFolder folder)
    {
        var classifies = folder.Labels() is not null;
        if (classifies && model.Config.Task != ModelTask.Classification)
            throw new ModelFormatException(folder.ConfigPath,
                $"is an adapter of a classifier, and the model was opened as a {model.Config.Architecture}, which generates text; "
                + "ask it for labels with: graft-trainer evaluate");
        if (!classifies && model.Config.Task == ModelTask.Classification)
            throw new ModelFormatException(folder.ConfigPath,
                $"is no adapter of a classifier, and the model was opened as a {model.Config.Architecture}, which classifies texts");
    }

    private static LoadedAdapter LoadFolder(BaseModel model, string name, string path, ScalarType dtype)
    {
        using var folder = AdapterFolder.Open(path);
        CheckTask(model, folder);
        CheckShapes(model, folder);
        // Its attachment is the loaded adapter's, or goes with what failed.
        var method = TuningMethods.Of(folder);
        try
        {
            var stored = new StoredTensors(folder.Weights, model, head: folder.Head, dtype: dtype);
            var attachment = method.Build(model, stored);
            stored.Finish();
            return new LoadedAdapter(attachment)
            {
                Name = name,
                Folder = path,
                Bytes = stored.Parameters * (dtype == ScalarType.Float32 ? 4 : 2),
                Facts = method.Facts(model) with { Dtype = stored.Dtype, Mergeable = attachment.Unmergeable.Count == 0 },
            };
        }
        catch
        {
            method.Dispose();
            throw;
        }
    }

    /// <summary>Everything that does not fit is told before memory is taken on the device.</summary>
    private static void CheckShapes(BaseModel model, AdapterFolder folder)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var method = TuningMethods.Of(folder);
        try
        {
            var shapes = new StoredTensors(folder.Weights, model, head: folder.Head, shapesOnly: true);
            method.Build(model, shapes);
            shapes.Finish();
        }
        catch (TuningException e)
        {
            throw new ModelFormatException(folder.ConfigPath, $"does not fit this base model: {e.Message}");
        }
    }
}
