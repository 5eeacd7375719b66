using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

[Collection(TorchCollection.Name)]
public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    private string At(string name) => Path.Combine(folder, name);

    public static TheoryData<string, int, string> Hostile => new()
    {
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}""", 8, "cut short" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "overlap" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "belong to no tensor" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "at its end belong to no tensor" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' twice" },
        { """{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "absurdly large" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "needs 12 bytes, but has 8" },
        { """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "no count" },
        { """{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "no count" },
        { """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "no count" },
        { """{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", 8, "more than 16" },
        { """{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown dtype 'F33'" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "before it begins" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "unknown field 'x'" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks" },
        { """{"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}}""", 8, "JSON" },
        { """{"a":[]}""", 0, "no object" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", 8, "JSON" },
        { """[1]""", 0, "does not begin with '{'" },
        { "", 0, "does not begin with '{'" },
        { "{\"\u0001\":1}", 0, "JSON" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Broken_headers_are_refused_each_with_its_own_message(string json, int data, string message)
    {
        Write("x.safetensors", Encoding.UTF8.GetBytes(json), data);
        var thrown = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(At("x.safetensors")));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
        Assert.Contains("x.safetensors", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10_000_000_000UL, "at most 100000000")]
    [InlineData(ulong.MaxValue, "at most 100000000")]
    [InlineData(1_000_000UL, "cut short")]
    public void A_header_longer_than_the_file_is_refused_before_anything_is_reserved(ulong length, string message)
    {
        var bytes = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(At("x"), bytes);
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(At("x"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_is_not_utf8_is_refused()
    {
        Write("x", [(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)'}'], 0);
        Assert.Contains("not UTF-8", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(At("x"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_file_too_short_for_a_header_is_refused(int length)
    {
        File.WriteAllBytes(At("x"), new byte[length]);
        Assert.Contains("fewer than", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(At("x"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_and_the_same_weights_give_the_same_bytes()
    {
        using var scope = NewDisposeScope();
        (string, Tensor)[] tensors =
        [
            ("b", tensor(new float[] { 1, 2, 3, 4 }).view(2, 2).t()), ("a", tensor(new long[] { 7 })), ("c", ones(3, ScalarType.BFloat16)),
            ("empty", zeros(0, 4)), ("flag", tensor(new[] { true, false })), ("ü", tensor(2.5f)),
        ];
        SafetensorsWriter.Write(At("1"), tensors);
        SafetensorsWriter.Write(At("2"), tensors.Reverse());
        Assert.Equal(File.ReadAllBytes(At("1")), File.ReadAllBytes(At("2")));
        using var file = SafetensorsFile.Open(At("1"));
        Assert.Equal("pt", file.Metadata["format"]);
        foreach (var (name, wanted) in tensors)
        {
            var found = file.Map(name);
            Assert.Equal(wanted.dtype, found.dtype);
            Assert.Equal(wanted.shape, found.shape);
            Assert.True(found.equal(wanted).all().item<bool>());
        }
    }

    [Fact]
    public void Tensors_over_a_file_may_be_written_to_without_changing_it()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(At("x"), [("a", ones(1000))]);
        using (var file = SafetensorsFile.Open(At("x"))) file.Map("a").fill_(5);
        using var again = SafetensorsFile.Open(At("x"));
        Assert.Equal(1000, again.Map("a").sum().item<float>());
    }

    [Theory]
    [InlineData("../outside.safetensors", "nor contain '..'")]
    [InlineData("parts/../../outside.safetensors", "nor contain '..'")]
    [InlineData("/etc/passwd", "neither empty nor absolute")]
    [InlineData("", "neither empty nor absolute")]
    [InlineData("missing.safetensors", "not there")]
    public void An_index_reaches_only_files_below_its_folder(string shard, string message)
    {
        File.Copy(Fixtures.Path("models", "llama", "config.json"), At("config.json"));
        File.WriteAllText(At("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"" + shard + "\"}}");
        var thrown = Assert.Throws<ModelFormatException>(() => Load(folder));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_does_not_fit_its_configuration_is_refused_with_every_mismatch()
    {
        using var scope = NewDisposeScope();
        File.Copy(Fixtures.Path("models", "llama", "config.json"), At("config.json"));
        using (var file = SafetensorsFile.Open(Fixtures.Path("models", "llama", "model.safetensors")))
        {
            var tensors = file.Tensors.Keys.Where(k => k != "model.norm.weight").Select(k => (k, file.Map(k))).Append(("stranger", ones(1)));
            tensors = tensors.Select(t => t.Item1.EndsWith("layers.0.mlp.up_proj.weight", StringComparison.Ordinal) ? (t.Item1, ones(3, 3)) : t);
            SafetensorsWriter.Write(At("model.safetensors"), tensors);
        }
        var message = Assert.Throws<ModelFormatException>(() => Load(folder)).Message;
        Assert.Contains("model.norm.weight", message, StringComparison.Ordinal);
        Assert.Contains("[3, 3] instead of [128, 64]", message, StringComparison.Ordinal);
        Assert.Contains("stranger", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_weights_or_with_pickles_is_refused()
    {
        File.Copy(Fixtures.Path("models", "llama", "config.json"), At("config.json"));
        Assert.Contains("no weights", Assert.Throws<ModelFormatException>(() => Load(folder)).Message, StringComparison.Ordinal);
        File.WriteAllText(At("pytorch_model.bin"), "");
        Assert.Contains("pickles", Assert.Throws<ModelFormatException>(() => Load(folder)).Message, StringComparison.Ordinal);
        Assert.Contains("neither", Assert.Throws<ModelFormatException>(() => Load(At("nowhere"))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static BaseModel Load(string path) => BaseModel.Load(path, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false));

    private void Write(string name, byte[] header, int data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        File.WriteAllBytes(At(name), [.. length, .. header, .. new byte[data]]);
    }
}
