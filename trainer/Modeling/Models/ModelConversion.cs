using Graft.Contract;
using Graft.Modeling.Files;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A model from one layout into the other, with its tokenizer and chat template.</summary>
public static class ModelConversion
{
    /// <summary>Types that a GGUF file can be written in.</summary>
    public static IReadOnlyCollection<string> GgufTypes => GgufQuantizer.Names;

    /// <summary>A folder in Hugging Face layout to one GGUF file. Not atomic: a caller that needs that writes beside and renames.</summary>
    /// <param name="type">Of the matrices (<c>Q8_0</c>); null: as they are published.</param>
    /// <param name="name">The model's name in the file; null: the folder's.</param>
    /// <exception cref="ModelFormatException">The folder cannot be read, or said in GGUF.</exception>
    public static void ToGguf(string folder, string path, string? type, string? name = null)
    {
        folder = Path.GetFullPath(folder);
        GgufExport.Write(folder, type, path, TrustedRoot.Named(folder), name ?? Path.GetFileName(folder.TrimEnd('/')));
    }

    /// <summary>A GGUF file to a folder in Hugging Face layout. Not atomic: a caller that needs that writes beside and renames.</summary>
    /// <param name="folder">An existing one.</param>
    /// <param name="dtype">Element type of all weights; null: of the file's matrices where that keeps every value, else F32.</param>
    /// <exception cref="ModelFormatException">The file cannot be read, or its tokenizer not be written.</exception>
    public static void ToFolder(string path, string folder, ScalarType? dtype)
    {
        var type = dtype ?? StoredType(path);
        using var model = BaseModel.Load(path, new LoadOptions(
            new Device(TorchSharp.DeviceType.CPU), type, Quantization: new Quantization { None = new NoQuantization() }));
        ModelWriter.Save(model, folder, type);
        if (!File.Exists(Path.Combine(folder, Tokenizers.TokenizerFiles.Tokenizer)))
            throw new ModelFormatException(path, "its tokenizer cannot be written as tokenizer.json");
    }

    /// <summary>
    /// The element type that a model is published in. Of a GGUF file that of all matrices, where it is one of sixteen bits and holds the
    /// vectors' values too, which GGUF keeps in F32; else F32.
    /// </summary>
    public static ScalarType StoredType(string path)
    {
        if (Directory.Exists(path))
        {
            if (File.Exists(Path.Combine(path, ModelConfigReader.FileName)) || Directory.GetFiles(path, "*.gguf") is not [var only])
                return ModelConfigReader.FromFolder(path).StoredType;
            path = only;
        }
        using var file = GgufFile.Open(path);
        using var weights = new GgufWeights(file, ModelConfigReader.FromGguf(file));
        var matrices = file.Tensors.Values.Where(t => t.Shape.Count > 1).Select(t => t.Type.Name).Distinct().ToList();
        ScalarType? narrow = matrices switch { ["F16"] => ScalarType.Float16, ["BF16"] => ScalarType.BFloat16, _ => null };
        return narrow is { } type && weights.Names.Where(n => weights.ShapeOf(n)!.Count == 1).All(n => Keeps(weights, n, type)) ? type
            : ScalarType.Float32;
    }

    private static bool Keeps(GgufWeights weights, string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var values = weights.Read(name, weights.ShapeOf(name)!, ScalarType.Float32);
        return values.to_type(type).to_type(ScalarType.Float32).equal(values).all().item<bool>();
    }
}
