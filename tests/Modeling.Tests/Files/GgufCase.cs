using System.IO.Compression;
using System.Text.Json;

namespace Graft.Modeling.Tests.Files;

/// <summary>A GGUF fixture, open: its folder, what it should give, and the reference's tensors.</summary>
internal sealed class GgufCase : IDisposable
{
    private readonly string unzipped = Path.GetTempFileName();

    public GgufCase(string name)
    {
        Folder = FixtureSets.Folder("gguf", name);
        using (var from = new GZipStream(File.OpenRead(Path.Combine(Folder, "expected.safetensors.gz")), CompressionMode.Decompress))
        using (var to = File.Create(unzipped))
            from.CopyTo(to);
        Tensors = SafetensorsFile.Open(unzipped);
    }

    public string Folder { get; }
    public string Model => Path.Combine(Folder, "model.gguf");
    public JsonElement Expected => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "expected.json"))).RootElement;
    public SafetensorsFile Tensors { get; }

    /// <summary>Without its tokenizer, which other tests are about.</summary>
    public static BaseModel Load(string path, LoadOptions? options = null) =>
        BaseModel.Load(path,
            (options ?? new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32)) with { RequireTokenizer = false });

    public void Dispose()
    {
        Tensors.Dispose();
        File.Delete(unzipped);
    }
}
