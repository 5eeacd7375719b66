using Graft.Contract;
using Graft.Modeling.Files;
using Graft.Modeling.Models;
using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Gguf;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A base model, opened: a folder in Hugging Face layout or a <c>.gguf</c> file.</summary>
public sealed class BaseModel : IDisposable
{
    private readonly IWeights source;
    private readonly ITokenizer? tokenizer;
    private readonly Lazy<string> digest;

    private BaseModel(string path, ModelPlan plan, ITokenizer? tokenizer, IWeights source, LoadOptions options)
    {
        (Path, Config, this.tokenizer, this.source) = (path, plan.Config, tokenizer, source);
        (Device, DType) = (options.Device, options.DType);
        var named = source is SafetensorsWeights ? new RenamedWeights(path, source, plan.NameOf) : source;
        using var fresh = options.Labels is null ? null : new RandomWeights(plan.Config, path, options.Seed);
        var reader = new WeightReader(path, named, options, fresh, plan.NewHead);
        Transformer = plan.Config.Task switch
        {
            ModelTask.Classification => new SequenceClassifier(plan, reader),
            ModelTask.Embedding => new TextEncoder(plan, reader),
            _ => new CausalLM(plan, reader),
        };
        reader.Finish();
        NewLayers = reader.NewLayers;
        var files = source.Files;
        digest = new Lazy<string>(() => Digests.OfParts(files.Select(Digests.OfFile)));
        // Weights that were widened or drawn need their source no longer.
        if (!source.BacksTensors) source.Dispose();
    }

    /// <exception cref="ModelFormatException">Something in it cannot be read or is not supported.</exception>
    public static BaseModel Load(string path, LoadOptions options)
    {
        path = System.IO.Path.GetFullPath(path);
        options = options with { Root = options.Root ?? TrustedRoot.Named(path) };
        options.Root.Resolve(path);
        if (Directory.Exists(path) && !File.Exists(System.IO.Path.Combine(path, "config.json")))
        {
            // A folder that holds one GGUF file and nothing that contradicts it is that file.
            var files = Directory.GetFiles(path, "*.gguf");
            if (files.Length > 1) throw new ModelFormatException(path, $"holds {files.Length} GGUF files; name one of them");
            if (files.Length == 1) path = files[0];
        }
        if (Directory.Exists(path)) return LoadFolder(path, options);
        if (!File.Exists(path)) throw new ModelFormatException(path, "is neither a model folder nor a file");
        if (!path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new ModelFormatException(path, "is no model: give a folder in Hugging Face layout or a .gguf file");
        return LoadGguf(path, options);
    }

    public string Path { get; }
    public ModelConfig Config { get; }

    /// <exception cref="InvalidOperationException">It was loaded without one, as <see cref="LoadOptions.RequireTokenizer"/> allows.</exception>
    public ITokenizer Tokenizer => tokenizer ?? throw new InvalidOperationException($"{Path} was loaded without a tokenizer.");

    /// <summary>False: it generates ids, but no text.</summary>
    public bool HasTokenizer => tokenizer is not null;

    /// <summary>Null when the model brings none: a base model that was not made for chat.</summary>
    public ChatTemplate? ChatTemplate { get; private init; }

    /// <summary>The network, whatever it is for.</summary>
    public Transformer Transformer { get; }

    /// <summary>Linear layers that the file has none for, or for other labels, and that were drawn.</summary>
    public IReadOnlyList<string> NewLayers { get; }

    /// <exception cref="InvalidOperationException">The model is no decoder that generates.</exception>
    public CausalLM Network => As<CausalLM>("does not generate text");

    /// <exception cref="InvalidOperationException">The model is no classifier.</exception>
    public SequenceClassifier Classifier => As<SequenceClassifier>("does not classify texts");

    /// <exception cref="InvalidOperationException">The model is no encoder without a head.</exception>
    public TextEncoder Encoder => As<TextEncoder>("has no plain encoder");
    public Device Device { get; }
    public ScalarType DType { get; }

    /// <summary><c>sha256:…</c> over the digests of the weight files in the order of their names; of the configuration where the weights are random.</summary>
    public string Digest => digest.Value;

    /// <summary>Bytes of the weights in memory, or in the mapped file.</summary>
    public long WeightBytes =>
        Transformer.Weights.Sum(w => w.Weight.numel() * w.Weight.element_size()) + Transformer.Packed.Sum(p => p.Matrix.Bytes);

    /// <summary>What matrices are kept as (<c>Q4_1</c>, <c>NF4</c>), where they are packed.</summary>
    public IReadOnlyList<string> PackedFormats =>
        [.. Transformer.Packed.Select(p => p.Matrix.Format!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Longest sequence in tokens.</summary>
    public int MaxLength => Config.MaxPositions;

    public void Dispose()
    {
        Transformer.Dispose();
        source.Dispose();
    }

    private T As<T>(string what) where T : Transformer =>
        Transformer as T ?? throw new InvalidOperationException($"{Path} is a {Config.Architecture}, which {what}.");

    private static BaseModel LoadFolder(string folder, LoadOptions options)
    {
        options.Root!.Check(folder);
        var plan = ModelConfigReader.PlanOfFolder(folder, options.Task, options.Labels);
        var config = plan.Config;
        var tokenizer = options.RequireTokenizer ? TokenizerFiles.Read(folder, config) : null;
        IWeights weights = options.RandomWeights
            ? new RandomWeights(config, System.IO.Path.Combine(folder, "config.json"), options.Seed)
            : SafetensorsWeights.Open(folder, options.Root);
        return Open(weights, () => new BaseModel(folder, plan, tokenizer, weights, options) { ChatTemplate = TokenizerFiles.ReadChatTemplate(folder) });
    }

    private static BaseModel LoadGguf(string path, LoadOptions options)
    {
        options.Root!.Resolve(path);
        if (options.RandomWeights) throw new ModelFormatException(path, "random weights need a folder with config.json, not a GGUF file");
        var file = GgufFile.Open(path);
        return Open(file, () =>
        {
            var plan = ModelConfigReader.PlanOfGguf(file, options.Task, options.Labels);
            var tokenizer = options.RequireTokenizer ? GgufTokenizer.Read(file, plan.Config) : null;
            if (tokenizer is not null) plan = plan with { Config = plan.Config with { EosIds = [.. tokenizer.EndOfGenerationIds] } };
            return new BaseModel(path, plan, tokenizer, new GgufWeights(file, plan.Config), options)
            {
                ChatTemplate = GgufTokenizer.ReadChatTemplate(file),
            };
        });
    }

    private static BaseModel Open(IDisposable resource, Func<BaseModel> open)
    {
        try
        {
            return open();
        }
        catch
        {
            resource.Dispose();
            throw;
        }
    }
}
