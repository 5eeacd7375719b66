using Graft.Modeling;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Support;

/// <summary>The tensors of a safetensors file, or of all those of a folder, under other names.</summary>
internal sealed class GoldenTensors : IDisposable
{
    private readonly List<SafetensorsFile> files;
    private readonly Dictionary<string, (SafetensorsFile File, string Key)> tensors = new(StringComparer.Ordinal);

    /// <param name="rename">Key of the file to name.</param>
    public GoldenTensors(string path, Func<string, string>? rename = null)
    {
        var paths = Directory.Exists(path) ? Directory.GetFiles(path, "*.safetensors") : [path];
        files = [.. paths.Order(StringComparer.Ordinal).Select(SafetensorsFile.Open)];
        foreach (var file in files)
            foreach (var key in file.Tensors.Keys)
                tensors.Add(rename is null ? key : rename(key), (file, key));
    }

    public IReadOnlyCollection<string> Names => tensors.Keys;

    /// <summary>Valid until this is disposed of.</summary>
    public Tensor this[string name] => tensors[name].File.Map(tensors[name].Key);

    public TensorInfo Info(string name) => tensors[name].File.Tensors[tensors[name].Key];

    public void Dispose() => files.ForEach(f => f.Dispose());
}
