using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Graft.Modeling.Tokenizers;

namespace Graft.Modeling.Tests.Tokenizers;

public sealed class ByteLevelBpeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("byte_bpe")]
    [InlineData("byte_bpe_llama3")]
    public void Encodes_and_decodes_as_hugging_faces_tokenizers(string name)
    {
        var path = Fixtures.Path("tokenizers", "small", name, "tokenizer.json");
        var tokenizer = new ByteLevelBpe(TokenizerJson.Read(path), path);
        foreach (var @case in Lines(Fixtures.Path("tokenizers", "small", name, "cases.jsonl")))
        {
            var text = @case.GetProperty("text").GetString()!;
            Assert.True(Ids(@case, "ids").SequenceEqual(tokenizer.Encode(text)), text);
            Assert.True(Ids(@case, "ids_special").SequenceEqual(tokenizer.Encode(text, addSpecialTokens: true)), text);
            Assert.Equal(@case.GetProperty("decoded").GetString(), tokenizer.Decode(Ids(@case, "ids_special"), skipSpecialTokens: false));
            Assert.Equal(@case.GetProperty("decoded_skip").GetString(), tokenizer.Decode(Ids(@case, "ids_special")));
        }
    }

    [Fact]
    public void A_gguf_files_tokenizer_is_the_one_it_was_made_from()
    {
        using var file = GgufFile.Open(Fixtures.Path("gguf", "byte_bpe-q4_0", "model.gguf"));
        var tokenizer = GgufTokenizer.Read(file, ModelConfigReader.FromGguf(file));
        foreach (var @case in Lines(Fixtures.Path("gguf", "tokenize-byte_bpe.jsonl")))
            Assert.Equal(Ids(@case, "ids"), tokenizer.Encode(@case.GetProperty("text").GetString()!));
    }

    [Fact]
    public void A_tokenizer_is_written_so_that_it_reads_back_the_same()
    {
        using var file = GgufFile.Open(Fixtures.Path("gguf", "byte_bpe-q4_0", "model.gguf"));
        var original = GgufTokenizer.Read(file, ModelConfigReader.FromGguf(file));
        TokenizerWriter.Write(original.Definition, "{{ 1 }}", folder);
        var path = Path.Combine(folder, "tokenizer.json");
        var written = new ByteLevelBpe(TokenizerJson.Read(path), path);
        foreach (var @case in Lines(Fixtures.Path("gguf", "tokenize-byte_bpe.jsonl")))
            Assert.Equal(Ids(@case, "ids"), written.Encode(@case.GetProperty("text").GetString()!));
    }

    [Fact]
    public void A_word_of_a_million_letters_is_no_trap()
    {
        var path = Fixtures.Path("gguf", "tokenizer-byte_bpe.json");
        var tokenizer = new ByteLevelBpe(TokenizerJson.Read(path), path);
        var word = string.Concat(Enumerable.Repeat("theing", 200_000));
        var watch = Stopwatch.StartNew();
        var ids = tokenizer.Encode(word);
        Assert.Equal(word, tokenizer.Decode(ids));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}");
        // Long and short pieces are joined by different code: they agree.
        Assert.Equal(tokenizer.Encode("theingtheing"), ids.Take(tokenizer.Encode("theingtheing").Count));
    }

    [Fact]
    public void Long_and_short_pieces_are_joined_alike()
    {
        using var file = GgufFile.Open(Fixtures.Path("gguf", "byte_bpe-q4_0", "model.gguf"));
        var tokenizer = GgufTokenizer.Read(file, ModelConfigReader.FromGguf(file));
        var ranks = tokenizer.Definition.Merges.Select((m, i) => (tokenizer.IdOf(m.Left)!.Value, tokenizer.IdOf(m.Right)!.Value, i))
            .ToDictionary(m => BpeMerger.Key(m.Item1, m.Item2), m => (m.i, tokenizer.IdOf(tokenizer.Definition.Merges[m.i].Left + tokenizer.Definition.Merges[m.i].Right)!.Value));
        var merger = new BpeMerger(ranks);
        var random = new Random(3);
        var letters = "theingar wos".Select(c => tokenizer.IdOf(ByteAlphabet.Character((byte)c).ToString())!.Value).ToArray();
        for (var i = 0; i < 300; i++)
        {
            var ids = Enumerable.Range(0, 24 + random.Next(40)).Select(_ => letters[random.Next(letters.Length)]).ToArray();
            Assert.Equal(Slowly(ids, ranks), ids.AsSpan(0, merger.Merge(ids)).ToArray());
        }
    }

    [Theory]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{}}}""", "WordPiece")]
    [InlineData("""{"normalizer":{"type":"NFC"},"model":{"type":"BPE","vocab":{},"merges":[]}}""", "NFC")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""", "decoder")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""", "pre-tokenizer")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", "same id")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":999999999},"merges":[]}}""", "999999999")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "merge 0")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}""", "no pair")]
    [InlineData("""{"decoder":{"type":"ByteLevel"},"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":[],"merges":[]}}""", "tokenizer.json")]
    [InlineData("[]", "tokenizer.json")]
    [InlineData("{", "cannot be read")]
    public void A_tokenizer_that_is_broken_or_not_supported_is_refused_by_name(string json, string message)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        File.WriteAllText(path, json);
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => new ByteLevelBpe(TokenizerJson.Read(path), path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_refused()
    {
        File.Copy(Fixtures.Path("models", "llama", "config.json"), Path.Combine(folder, "config.json"));
        File.Copy(Fixtures.Path("gguf", "tokenizer-byte_bpe.json"), Path.Combine(folder, "tokenizer.json"));
        var thrown = Assert.Throws<ModelFormatException>(() => BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32)));
        Assert.Contains("belongs to another model", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Streamed_text_never_holds_half_a_character()
    {
        var path = Fixtures.Path("gguf", "tokenizer-byte_bpe.json");
        var tokenizer = new ByteLevelBpe(TokenizerJson.Read(path), path);
        const string text = "naïve 日本語 👩‍👩‍👧 \U00020000 done";
        var decoder = new IncrementalDecoder(tokenizer);
        var parts = tokenizer.Encode(text).Select(decoder.Add).ToList();
        Assert.Contains(parts, p => p.Length == 0);
        Assert.All(parts, p => Assert.Equal(p, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(p))));
        Assert.Equal(text, string.Concat(parts) + decoder.Finish());

        var broken = new IncrementalDecoder(tokenizer);
        var cut = tokenizer.Encode("日").SkipLast(1).Select(broken.Add).ToList();
        Assert.Equal("\ufffd", string.Concat(cut) + broken.Finish());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static List<int> Slowly(int[] pieces, Dictionary<long, (int Rank, int Id)> ranks)
    {
        var ids = pieces.ToList();
        while (true)
        {
            var best = Enumerable.Range(0, ids.Count - 1).Where(i => ranks.ContainsKey(BpeMerger.Key(ids[i], ids[i + 1])))
                .OrderBy(i => ranks[BpeMerger.Key(ids[i], ids[i + 1])].Rank).ThenBy(i => i).DefaultIfEmpty(-1).First();
            if (best < 0) return ids;
            ids[best] = ranks[BpeMerger.Key(ids[best], ids[best + 1])].Id;
            ids.RemoveAt(best + 1);
        }
    }

    private static IEnumerable<JsonElement> Lines(string path) =>
        File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement);

    private static int[] Ids(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];
}
