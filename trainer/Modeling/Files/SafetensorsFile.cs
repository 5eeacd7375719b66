using Graft.Modeling.Files;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A safetensors file, mapped. Tensors made from it are valid until it is disposed of.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MappedFile file;

    private SafetensorsFile(MappedFile file)
    {
        this.file = file;
        (var tensors, var metadata) = SafetensorsHeader.Read(file);
        (Tensors, Metadata) = (tensors, metadata);
    }

    /// <exception cref="ModelFormatException">The file cannot be read, or breaks a rule of the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            return new SafetensorsFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Path => file.Path;
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// The tensor without copying it: it lies over the mapping, and writing to it does not change the file. Only a tensor that
    /// is not aligned to its elements is copied.
    /// </summary>
    /// <exception cref="ModelFormatException">There is no such tensor, or torch has no type for its elements.</exception>
    public unsafe Tensor Map(string name)
    {
        if (!Tensors.TryGetValue(name, out var info)) throw new ModelFormatException(Path, $"has no tensor '{name}'");
        var (size, type) = SafetensorsHeader.Dtypes[info.Dtype];
        if (type is null) throw new ModelFormatException(Path, $"the tensor '{name}' has the dtype {info.Dtype}, which is not supported");
        long[] shape = [.. info.Shape];
        if (info.Bytes == 0) return zeros(shape, type.Value);
        if (info.Offset % size == 0) return Aten.FromMemory((nint)(file.Start + info.Offset), shape, type.Value);
        var copy = empty(shape, type.Value);
        Buffer.MemoryCopy(file.Start + info.Offset, (void*)Aten.DataPointer(copy), info.Bytes, info.Bytes);
        return copy;
    }

    public void Dispose() => file.Dispose();
}
