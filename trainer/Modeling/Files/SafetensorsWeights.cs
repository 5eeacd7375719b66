using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>The weights of a folder in Hugging Face layout: <c>model.safetensors</c>, or shards and their index.</summary>
internal sealed class SafetensorsWeights : IWeights
{
    internal const string Single = "model.safetensors", Index = "model.safetensors.index.json";
    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, SafetensorsFile> owners = new(StringComparer.Ordinal);

    private SafetensorsWeights()
    {
    }

    /// <param name="root">What the folder's files may not leave; null: the folder.</param>
    public static SafetensorsWeights Open(string folder, TrustedRoot? root = null)
    {
        var weights = new SafetensorsWeights();
        try
        {
            root ??= TrustedRoot.Named(folder);
            root.Check(folder);
            var index = Path.Combine(folder, Index);
            if (File.Exists(index)) weights.AddShards(root, index);
            else if (File.Exists(Path.Combine(folder, Single))) weights.Add(SafetensorsFile.Open(Path.Combine(folder, Single)));
            else throw new ModelFormatException(folder, Missing(folder));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public bool BacksTensors => true;
    public IReadOnlyCollection<string> Names => owners.Keys;
    public IReadOnlyList<string> Files => [.. files.Select(f => f.Path).Order(StringComparer.Ordinal)];
    public IReadOnlyList<long>? ShapeOf(string name) => owners.GetValueOrDefault(name)?.Tensors[name].Shape;

    public Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype)
    {
        var mapped = owners[name].Map(name);
        if (mapped.dtype == dtype) return mapped;
        if (!mapped.is_floating_point())
            throw new ModelFormatException(owners[name].Path, $"the tensor '{name}' holds {mapped.dtype}; quantised weights in safetensors are not supported");
        using (mapped) return mapped.to_type(dtype);
    }

    public void Dispose() => files.ForEach(f => f.Dispose());

    private static string Missing(string folder) =>
        Directory.EnumerateFiles(folder, "*.bin").Any() || Directory.EnumerateFiles(folder, "*.pt*").Any()
            ? $"holds weights as Python pickles, which can run code when they are read; convert them to {Single}"
            : $"holds no weights: neither {Single} nor {Index} is there";

    private void AddShards(TrustedRoot root, string index)
    {
        Dictionary<string, string> map;
        using var json = ModelConfigReader.Parse(index);
        try
        {
            map = json.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            throw new ModelFormatException(index, $"is no index of shards: {e.Message}", e);
        }
        foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Add(SafetensorsFile.Open(root.ResolveName(index, shard, "shard")));
        }
        var folder = Path.GetDirectoryName(index)!;
        bool Lies(string name, string shard) => owners.TryGetValue(name, out var file) && file.Path == Path.Combine(folder, shard);
        var wrong = map.Where(m => !Lies(m.Key, m.Value)).Select(m => m.Key).ToList();
        if (wrong.Count > 0) throw new ModelFormatException(index, $"says that shards hold tensors which they do not: {Lists.Some(wrong)}");
    }

    private void Add(SafetensorsFile file)
    {
        files.Add(file);
        foreach (var name in file.Tensors.Keys)
            if (!owners.TryAdd(name, file)) throw new ModelFormatException(file.Path, $"the tensor '{name}' is in another shard too");
    }
}
