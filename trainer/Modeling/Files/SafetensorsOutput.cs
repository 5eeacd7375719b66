using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>A tensor to be written, made when its turn comes.</summary>
/// <param name="Type">Element type in the file, whatever is made.</param>
/// <param name="Make">Of that shape. A new tensor is freed once it is written.</param>
internal sealed record SafetensorsOutput(string Name, ScalarType Type, IReadOnlyList<long> Shape, Func<Tensor> Make)
{
    public string Dtype { get; } = SafetensorsWriter.NameOf(Type);
    public int ElementBytes => SafetensorsHeader.Dtypes[Dtype].Bytes;
    public long Bytes => Shape.Aggregate((long)ElementBytes, (product, size) => product * size);
}
