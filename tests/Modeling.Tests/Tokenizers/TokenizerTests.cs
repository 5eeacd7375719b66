using System.Text;
using System.Text.Json;
using Graft.Modeling.Tokenizers.Gguf;
using Graft.Modeling.Tokenizers.Reading;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tests.Tokenizers;

public sealed class TokenizerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("byte_bpe-q4_0", "byte_bpe")]
    [InlineData("sp_bpe-f32", "sp_bpe")]
    public void A_gguf_files_tokenizer_is_written_so_that_it_reads_back_the_same(string file, string kind)
    {
        using var gguf = GgufFile.Open(Fixtures.Path("gguf", file, "model.gguf"));
        TokenizerWriter.Write(gguf, folder);
        var written = TokenizerCases.Open(folder);
        foreach (var @case in TokenizerCases.Lines(Fixtures.Path("gguf", $"tokenize-{kind}.jsonl")))
            Assert.Equal(@case.Ints("ids"), written.Encode(@case.Text("text")));
    }

    private const string Model = ""","model":{"type":"BPE","vocab":{},"merges":[]}}""";

    [Theory]
    [InlineData("""{"model":{"type":"Neural","vocab":{}}}""", "'Neural'")]
    [InlineData("""{"normalizer":{"type":"Rot13"}}""", "normalizer: the normalizer 'Rot13'")]
    [InlineData("""{"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"X"}]}}""", "normalizer.normalizers[1]")]
    [InlineData("""{"pre_tokenizer":{"type":"Psychic"}}""", "'Psychic'")]
    [InlineData("""{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?R)"},"behavior":"Isolated"}}""", "pre_tokenizer.pattern.Regex")]
    [InlineData("""{"pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"}}""", "Sideways")]
    [InlineData("""{"pre_tokenizer":{"type":"Whitespace","reverse":true}}""",
        "pre_tokenizer.reverse")]
    [InlineData("""{"decoder":{"type":"Oracle"}}""", "'Oracle'")]
    [InlineData("""{"post_processor":{"type":"Stamp"}}""", "'Stamp'")]
    [InlineData("""{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[X]","type_id":0}}]}}""", "[X]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}}""", "model.dropout")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", "same id")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":999999999},"merges":[]}}""", "999999999")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "merge 0")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}""", "no pair")]
    [InlineData("""{"model":{"type":"BPE","vocab":[],"merges":[]}}""", "model.vocab")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":5}}""", "unk_id")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0}}}""", "[UNK]")]
    [InlineData("""{"normalizer":{"type":"Precompiled","precompiled_charsmap":"////"}}""",
        "precompiled_charsmap")]
    [InlineData("""{"truncation":{"max_length":8,"strategy":"Random"}}""", "Random")]
    [InlineData("""{"encryption":1}""", "encryption")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "cannot be read")]
    public void A_tokenizer_that_is_broken_or_not_supported_is_refused_by_name(string json, string message)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        File.WriteAllText(path, json.Contains("\"model\"", StringComparison.Ordinal) || json.Length < 3 ? json : json[..^1] + Model);
        var thrown = Assert.Throws<ModelFormatException>(() => TokenizerJson.Read(path));
        Assert.StartsWith(path, thrown.Message, StringComparison.Ordinal);
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_refused()
    {
        File.Copy(Fixtures.Path("models", "llama", "config.json"), Path.Combine(folder, "config.json"));
        File.Copy(Fixtures.Path("gguf", "tokenizer-byte_bpe.json"), Path.Combine(folder, "tokenizer.json"));
        var thrown = Assert.Throws<ModelFormatException>(() =>
            BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32)));
        Assert.Contains("belongs to another model", thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>Gemma 3's text models: 262,144 rows, and an added token with that id.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Added_tokens_may_lie_beyond_the_models_rows_and_no_others(bool added)
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("models", "llama", "config.json")));
        var rows = config.RootElement.GetProperty("vocab_size").GetInt32();
        File.Copy(Fixtures.Path("models", "llama", "config.json"), Path.Combine(folder, "config.json"));
        File.Copy(Fixtures.Path("models", "llama", "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        var (vocabulary, tokens) = added
            ? ("", $$"""{"id":{{rows}},"content":"<image_soft_token>","special":true,"single_word":false,"lstrip":false,"rstrip":false}""")
            : ($",\"b\":{rows}", "");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"),
            $$"""{"added_tokens":[{{tokens}}],"model":{"type":"BPE","vocab":{"a":0{{vocabulary}} },"merges":[]} }""");
        BaseModel Load() => BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32));

        if (!added)
        {
            Assert.Contains("belongs to another model", Assert.Throws<ModelFormatException>(Load).Message, StringComparison.Ordinal);
            return;
        }
        using var model = Load();
        Assert.Equal([0, rows], model.Tokenizer.Encode("a<image_soft_token>"));
        Assert.Throws<ArgumentException>(() => new GenerationSequence(model, [0, rows], new SamplingOptions(1)));
    }

    [Theory]
    [InlineData("byte_bpe")]
    [InlineData("sp_bpe")]
    [InlineData("unigram_bytes")]
    public void Streamed_text_never_holds_half_a_character(string name)
    {
        var tokenizer = TokenizerCases.Open(Fixtures.Path("tokenizers", "small", name));
        const string text = "naïve 日本語 👩‍👩‍👧 \U00020000 done";
        var decoder = new IncrementalDecoder(tokenizer);
        var parts = tokenizer.Encode(text).Select(decoder.Add).ToList();
        Assert.Contains(parts, p => p.Length == 0);
        Assert.All(parts, p => Assert.Equal(p, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(p))));
        Assert.Equal(text, string.Concat(parts) + decoder.Finish());

        var broken = new IncrementalDecoder(tokenizer);
        var cut = tokenizer.Encode("\U0002a6d6").SkipLast(1).Select(broken.Add).ToList();
        Assert.EndsWith("\ufffd", string.Concat(cut) + broken.Finish(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("byte_bpe")]
    [InlineData("sp_bpe")]
    [InlineData("wordpiece")]
    [InlineData("unigram_precompiled")]
    public void Lone_surrogates_count_as_replacement_characters(string name)
    {
        var tokenizer = TokenizerCases.Open(Fixtures.Path("tokenizers", "small", name));
        foreach (var (broken, whole) in new[] { ("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("x\ud83d", "x\ufffd"),
            ("\ude00\ud83d\ude00", "\ufffd\U0001f600") })
        {
            Assert.Equal(tokenizer.Encode(whole), tokenizer.Encode(broken));
            Assert.Equal(tokenizer.EncodeDetailed(whole).Offsets, tokenizer.EncodeDetailed(broken).Offsets);
        }
    }

    [Fact]
    public void Tokens_have_bytes_as_in_the_middle_of_a_text()
    {
        string Of(string name, string token)
        {
            var tokenizer = TokenizerCases.Open(Fixtures.Path("tokenizers", "small", name));
            return Encoding.UTF8.GetString(tokenizer.BytesOf(tokenizer.IdOf(token)!.Value));
        }
        Assert.Equal(" t", Of("byte_bpe", "Ġt"));
        Assert.Equal(" t", Of("sp_bpe", "▁t"));
        Assert.Equal("A", Of("sp_bpe", "<0x41>"));
        Assert.Equal("ing", Of("wordpiece", "##ing"));
        Assert.Equal("", Of("sp_bpe", "<s>"));
    }

    [Fact]
    public void A_files_limits_apply_only_where_they_are_asked_for()
    {
        var tokenizer = TokenizerCases.Parse("""
            {"truncation":{"max_length":3,"strategy":"LongestFirst","stride":0,"direction":"Left"},
             "padding":{"strategy":{"Fixed":5},"direction":"Left","pad_to_multiple_of":4,"pad_id":9,"pad_type_id":1,"pad_token":"[PAD]"},
             "pre_tokenizer":{"type":"Whitespace"},
             "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"c":2,"d":3,"?":4},"unk_token":"?"}}
            """);
        Assert.Equal([0, 1, 2, 3, 4], tokenizer.Encode("a b c d e"));
        Assert.Equal([0, 1, 2, 3, 4], tokenizer.EncodeDetailed("a b c d e").Ids);
        var limited = tokenizer.EncodeDetailed("a b c d e", null, false, limited: true);
        Assert.Equal([9, 9, 9, 9, 9, 2, 3, 4], limited.Ids);
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1], limited.AttentionMask);
        Assert.Equal((8, 9), limited.Offsets[^1]);
        // Both texts lose what is above half.
        Assert.Equal([3, 2, 3], tokenizer.EncodeDetailed("a b c d", "a b c d", false, limited: true).Ids.Where(i => i != 9));
    }

    [Theory]
    [InlineData("e\u0301", false, true, "\u00e9")]
    [InlineData("\u1e9b\u0323", true, true, "\u1e69")]
    [InlineData("\uac01", false, false, "\u1100\u1161\u11a8")]
    [InlineData("\u1100\u1161\u11a8", false, true, "\uac01")]
    [InlineData("\ufb01\u2460\uff21", true, true, "fi1A")]
    [InlineData("q\u0307\u0323", false, true, "q\u0323\u0307")]
    [InlineData("\u0958", false, true, "\u0915\u093c")]
    [InlineData("\U0001d15e", false, true, "\U0001d157\U0001d165")]
    public void Texts_are_normalized_as_unicode_says(string text, bool compatible, bool compose, string wanted) =>
        Assert.Equal(wanted,
            string.Concat(UnicodeNormalization.Tables.Normalize(text, compatible, compose)!.Select(p => char.ConvertFromUtf32(p.Point))));

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
