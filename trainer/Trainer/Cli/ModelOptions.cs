using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Reporting;
using Graft.Trainer.Runs;
using static TorchSharp.torch;

namespace Graft.Trainer.Cli;

/// <summary>The options that verbs share which open a model and, if wanted, an adapter on it.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string> model = new("--model")
    {
        HelpName = "PATH|SOURCE",
        Description = "A folder in Hugging Face layout, or a .gguf file; hf://, s3:// and oci:// sources are fetched.",
        Required = true,
    };

    private readonly Option<string?> adapter = new("--adapter")
    {
        HelpName = "PATH",
        Description = "An adapter that was trained on that model, as PEFT or AdapterHub writes it (a folder), or as GGUF. "
            + "Default: the model alone.",
    };

    private readonly Option<Precision> precision = new("--precision")
    {
        Description = "Arithmetic. Auto takes BF16 where the device computes it faster than F32.",
        DefaultValueFactory = _ => Precision.Auto,
    };

    private readonly Option<string?> quantization =
        new Option<string?>("--quantization") { HelpName = "NAME", Description = Quantizations.Description }
            .AcceptOnlyFromAmong([.. Quantizations.Names]);

    public void AddTo(Command command)
    {
        command.Options.Add(model);
        command.Options.Add(adapter);
        command.Options.Add(precision);
        command.Options.Add(quantization);
    }

    public ModelPaths Of(ParseResult parsed) => new(
        parsed.GetValue(model)!, parsed.GetValue(adapter), parsed.GetValue(precision), Quantizations.Named(parsed.GetValue(quantization)));
}

internal sealed record ModelPaths(string Model, string? Adapter, Precision Precision, Quantization? Quantization);

/// <summary>A model and perhaps an adapter, open. Made on the torch thread.</summary>
internal sealed class OpenModel : IDisposable
{
    /// <param name="mayClassify">
    /// Takes models of any task, and opens the base of a classifier's adapter as a classifier; false: only those that generate text.
    /// </param>
    public OpenModel(ModelPaths paths, bool mayClassify = false)
    {
        if (paths.Adapter is { } named) CheckAdapter(named);
        var labels = mayClassify && paths.Adapter is { } adapter ? LoadedAdapter.LabelsOf(adapter) : null;
        var device = cuda.is_available() ? CUDA : CPU;
        var precision = Precisions.Resolve(paths.Precision, device, weightsTrain: false);
        var (path, root) = Find(paths.Model);
        var options = new LoadOptions(
            device, precision, Task: mayClassify ? null : ModelTask.Generation, Quantization: paths.Quantization, Root: root,
            Labels: labels);
        // What does not fit is told before gigabytes go to the device.
        if (paths.Adapter is { } wanted)
            using (var shapes = BaseModel.Load(path, options.ShapesOnly)) LoadedAdapter.Check(shapes, wanted);
        Model = BaseModel.Load(path, options);
        if (paths.Adapter is { } folder) Adapter = LoadedAdapter.Load(Model, "adapter", folder, verified: true);
    }

    /// <exception cref="RunFailedException">There is nothing at that path.</exception>
    public static void CheckAdapter(string path)
    {
        if (!Path.Exists(path))
            throw RunFailedException.Model($"{path}: no such folder; --adapter names the folder of an artifact, or a GGUF file");
    }

    public BaseModel Model { get; }
    public LoadedAdapter? Adapter { get; }

    public void Dispose()
    {
        Adapter?.Dispose();
        Model.Dispose();
    }

    /// <summary>What a person names by its source is fetched into the cache of this machine, whose files are links within it.</summary>
    public static (string Path, TrustedRoot? Root) Find(string model)
    {
        if (!SourceUri.IsRemote(model)) return (model, null);
        var fetcher = new InputFetcher(new ProgressBoard(), RunLog.ForErrors(TimeProvider.System), Environment.GetEnvironmentVariable);
        var local = fetcher.ModelAsync(new ModelInput(model), CancellationToken.None).GetAwaiter().GetResult();
        return (local.Path, local.Root is { } root ? TrustedRoot.At(root) : null);
    }
}
