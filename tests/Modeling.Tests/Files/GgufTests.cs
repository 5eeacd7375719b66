using System.Text;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

[Collection(TorchCollection.Name)]
public sealed class GgufTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    private string At(string name) => Path.Combine(folder, name);

    /// <summary>Every type that is read, widened from blocks whose numbers are known.</summary>
    [Theory]
    [InlineData(3u, new byte[] { 0x00, 0x40, 0x00, 0xbc }, 0x31, new[] { 1f, 5f })]     // Q4_1: d 2, m -1; halves 1 and 3
    [InlineData(2u, new byte[] { 0x00, 0x40 }, 0x31, new[] { -14f, -10f })]             // Q4_0: d 2; halves 1 - 8 and 3 - 8
    [InlineData(7u, new byte[] { 0x00, 0x40, 0x00, 0xbc, 0x01, 0x00, 0x00, 0x00 }, 0x31, new[] { 33f, 5f })]   // Q5_1: element 0 has the fifth bit
    [InlineData(6u, new byte[] { 0x00, 0x40, 0x00, 0x00, 0x01, 0x00 }, 0x31, new[] { -30f, 6f })]              // Q5_0: element 16 has it
    [InlineData(8u, new byte[] { 0x00, 0x38 }, 0xfe, new[] { -1f, -1f })]               // Q8_0: d 0.5; -2
    public unsafe void A_block_is_widened_as_ggml_does(uint id, byte[] head, int fill, float[] firstAndSeventeenth)
    {
        var type = GgufType.All[id];
        var block = new byte[type.BlockBytes];
        Array.Fill(block, (byte)fill);
        head.CopyTo(block, 0);
        var values = new float[type.BlockElements];
        fixed (byte* source = block)
        fixed (float* target = values) type.Widen!(source, target, 1);
        Assert.Equal(firstAndSeventeenth, new[] { values[0], values[16] });
    }

    [Fact]
    public void Rows_are_rounded_to_sixteen_bits_as_torch_does()
    {
        using var scope = NewDisposeScope();
        using var file = GgufFile.Open(Fixtures.Path("gguf", "byte_bpe-q4_0", "model.gguf"));
        using var matrix = new GgufMatrix(file, file.Tensors["blk.0.ffn_up.weight"]);
        foreach (var dtype in new[] { ScalarType.BFloat16, ScalarType.Float16 })
            Assert.Equal(0, Fixtures.MaxDifference(matrix.Widen(3, 70, ScalarType.Float32).to_type(dtype), matrix.Widen(3, 70, dtype)));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "magic", "no GGUF file" },
        { "version", "version 9" },
        { "tensors", "tensors, more than" },
        { "keys", "metadata values, more than" },
        { "text", "bytes of" },
        { "array", "elements of 'list'" },
        { "valueType", "unknown type 99" },
        { "nested", "nests arrays" },
        { "key twice", "twice" },
        { "alignment", "no power of two" },
        { "tensor twice", "twice" },
        { "rank", "7 dimensions" },
        { "zero", "size 0" },
        { "huge", "absurdly large" },
        { "type", "unknown type 77" },
        { "row", "no multiple of the 32" },
        { "offset", "no multiple of the alignment" },
        { "past", "past the end" },
        { "overlap", "overlap" },
        { "utf8", "not UTF-8" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Broken_files_are_refused_each_with_its_own_message(string damage, string message)
    {
        File.WriteAllBytes(At("x.gguf"), Damaged(damage));
        var thrown = Assert.Throws<ModelFormatException>(() => GgufFile.Open(At("x.gguf")));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_undamaged_file_is_read()
    {
        File.WriteAllBytes(At("x.gguf"), Damaged("nothing"));
        using var file = GgufFile.Open(At("x.gguf"));
        Assert.Equal("here", file.Text("text"));
        Assert.Equal(new[] { 1, 2 }, file.Numbers("list")!);
        Assert.Equal([1L, 32L], file.Tensors["a"].Shape);
    }

    /// <summary>Bytes as large as a file may be become eight times as many in memory, and boxed ones more.</summary>
    [Fact]
    public void Arrays_are_kept_unboxed_and_only_as_many_elements_as_tokenizers_need()
    {
        using (var w = new BinaryWriter(File.Create(At("x.gguf"))))
        {
            w.Write(0x46554747u);
            w.Write(3u);
            w.Write(0ul);
            w.Write(2ul);
            foreach (var name in "ab")
            {
                w.Write(1ul);
                w.Write((byte)name);
                w.Write(9u);
                w.Write(0u);
                w.Write((ulong)(name == 'a' ? 1000 : 1 << 23));
                w.Write(new byte[name == 'a' ? 1000 : 1 << 23]);
            }
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        var thrown = Assert.Throws<ModelFormatException>(() => GgufFile.Open(At("x.gguf")));
        Assert.Contains("arrays of more than 8388608 elements", thrown.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        File.WriteAllBytes(At("x.gguf"), Damaged("nothing"));
        using var file = GgufFile.Open(At("x.gguf"));
        Assert.Equal([1L, 2L], Assert.IsType<long[]>(file.Metadata["list"]));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A file with two tensors of one Q8_0 block each, damaged in one place.</summary>
    private static byte[] Damaged(string how)
    {
        using var memory = new MemoryStream();
        using var w = new BinaryWriter(memory);
        void Text(string s)
        {
            w.Write((ulong)Encoding.UTF8.GetByteCount(s));
            w.Write(Encoding.UTF8.GetBytes(s));
        }
        w.Write(how == "magic" ? 1u : 0x46554747u);
        w.Write(how == "version" ? 9u : 3u);
        w.Write(how == "tensors" ? ulong.MaxValue : 2ul);
        w.Write(how == "keys" ? 1ul << 40 : 4ul);
        Text("text");
        w.Write(8u);
        if (how == "text") w.Write(1ul << 60);
        else if (how == "utf8")
        {
            w.Write(1ul);
            w.Write((byte)0xff);
        }
        else Text("here");
        Text("list");
        w.Write(how == "valueType" ? 99u : 9u);
        for (var i = 0; how == "nested" && i < 5; i++)
        {
            w.Write(9u);
            w.Write(1ul);
        }
        w.Write(4u);
        w.Write(how == "array" ? 1ul << 61 : 2ul);
        w.Write(1u);
        w.Write(2u);
        Text("general.alignment");
        w.Write(4u);
        w.Write(how == "alignment" ? 33u : 64u);
        Text(how == "key twice" ? "text" : "last");
        w.Write(7u);
        w.Write((byte)1);
        Tensor("a", 0);
        Tensor(how == "tensor twice" ? "a" : "b", how switch { "offset" => 65, "past" => 1 << 20, "overlap" => 0, _ => 64 });
        while (memory.Length % 64 != 0) w.Write((byte)0);
        w.Write(new byte[64 + 34]);
        return memory.ToArray();

        void Tensor(string name, long offset)
        {
            Text(name);
            w.Write(how == "rank" ? 7u : 2u);
            w.Write(how switch { "row" => 31ul, "huge" => 1ul << 50, _ => 32ul });
            w.Write(how switch { "zero" => 0ul, "huge" => 1ul << 50, _ => 1ul });
            w.Write(how == "type" ? 77u : 8u);
            w.Write((ulong)offset);
        }
    }
}
