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

    private BaseModel(string path, ModelConfig config, ITokenizer? tokenizer, IWeights source, LoadOptions options)
    {
        (Path, Config, this.tokenizer, this.source) = (path, config, tokenizer, source);
        (Device, DType) = (options.Device, options.DType);
        Network = new LlamaForCausalLM(config, new WeightReader(path, source, options.DType, options.Device));
        var files = source.Files;
        digest = new Lazy<string>(() => Digests.OfParts(files.Select(Digests.OfFile)));
        // Weights that were widened or drawn need their source no longer.
        if (!source.BacksTensors) source.Dispose();
    }

    /// <exception cref="ModelFormatException">Something in it cannot be read or is not supported.</exception>
    public static BaseModel Load(string path, LoadOptions options)
    {
        path = System.IO.Path.GetFullPath(path);
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

    /// <summary>Null when the model brings none: a base model that was not made for chat.</summary>
    public ChatTemplate? ChatTemplate { get; private init; }
    public CausalLM Network { get; }
    public Device Device { get; }
    public ScalarType DType { get; }

    /// <summary><c>sha256:…</c> over the digests of the weight files in the order of their names; of the configuration where the weights are random.</summary>
    public string Digest => digest.Value;

    /// <summary>Bytes of the weights in memory.</summary>
    public long WeightBytes => Network.Weights.Sum(w => w.Weight.numel() * w.Weight.element_size());

    /// <summary>Longest sequence in tokens.</summary>
    public int MaxLength => Config.MaxPositions;

    public void Dispose()
    {
        Network.Dispose();
        source.Dispose();
    }

    private static BaseModel LoadFolder(string folder, LoadOptions options)
    {
        var config = ModelConfigReader.FromFolder(folder);
        var tokenizer = TokenizerFiles.HasTokenizer(folder) || options.RequireTokenizer ? TokenizerFiles.Read(folder, config) : null;
        IWeights weights = options.RandomWeights
            ? new RandomWeights(config, System.IO.Path.Combine(folder, "config.json"), options.Seed)
            : SafetensorsWeights.Open(folder);
        return Open(weights, () => new BaseModel(folder, config, tokenizer, weights, options) { ChatTemplate = TokenizerFiles.ReadChatTemplate(folder) });
    }

    private static BaseModel LoadGguf(string path, LoadOptions options)
    {
        if (options.RandomWeights) throw new ModelFormatException(path, "random weights need a folder with config.json, not a GGUF file");
        var file = GgufFile.Open(path);
        return Open(file, () =>
        {
            var config = ModelConfigReader.FromGguf(file);
            var tokenizer = GgufTokenizer.Read(file, config);
            return new BaseModel(path, config with { EosIds = [.. tokenizer.EndOfGenerationIds] }, tokenizer, new GgufWeights(file, config), options)
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
