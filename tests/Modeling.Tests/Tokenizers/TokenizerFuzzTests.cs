using System.Text;
using System.Text.Json;
using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.Reading;

namespace Graft.Modeling.Tests.Tokenizers;

/// <summary>Files that were damaged in every way: a clear error or a tokenizer that works, in bounded memory and time.</summary>
public sealed class TokenizerFuzzTests
{
    private const long MostBytes = 256L << 20;

    private static readonly string[] Seeds =
    [
        """
        {"version":"1.0","truncation":{"max_length":8,"strategy":"LongestFirst","stride":0},"padding":{"strategy":{"Fixed":4},
        "direction":"Right",
        "pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},"added_tokens":[{"id":9,"content":"<s>",
        "single_word":false,"lstrip":true,
        "rstrip":false,"normalized":true,"special":true}],"normalizer":{"type":"Sequence",
        "normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},
        "content":" "}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split",
        "pattern":{"Regex":"(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+"},
        "behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":false}]},
        "post_processor":{"type":"RobertaProcessing",
        "sep":["</s>",2],"cls":["<s>",9],"trim_offsets":true,"add_prefix_space":false},"decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","dropout":null,
        "unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
        "ignore_merges":false,
        "vocab":{"a":0,"b":1,"Ġ":2,"ab":3,"Ġab":4,"Ã":5,"©":6},"merges":[["a","b"],"Ġ ab"]}}
        """,
        """
        {"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":7,"content":"k","rstrip":true,"normalized":true}],
        "normalizer":{"type":"Sequence","normalizers":
        [{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Precompiled",
        "precompiled_charsmap":"CAAAAAAEAAAAAAAAYQBi"}]},
        "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},
        "post_processor":{"type":"TemplateProcessing","single":
        [{"SpecialToken":{"id":"</s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A",
        "type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
        "special_tokens":{"</s>":{"id":"</s>","ids":[1],"tokens":["</s>"]}}},"decoder":{"type":"Sequence","decoders":[{"type":"Replace",
        "pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},"model":{"type":"Unigram","unk_id":0,
        "byte_fallback":true,
        "vocab":[["<unk>",0.0],["</s>",0.0],["▁",-1.5],["a",-2],["b",-2.5],["▁ab",-3],["<0xC3>",-9]]}}
        """,
        """
        {"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
        "pre_tokenizer":{"type":"BertPreTokenizer"},
        "post_processor":{"type":"BertProcessing","sep":["[SEP]",1],"cls":["[CLS]",2]},"decoder":{"type":"WordPiece","prefix":"##",
        "cleanup":true},
        "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
        "vocab":{"[UNK]":0,"[SEP]":1,"[CLS]":2,"a":3,"##b":4}}}
        """,
    ];

    private static readonly string[] Tokens =
        ["null", "-1", "1e999", "99999999999", "2097151", "\"\"", "\"\\ud800\"", "[]", "{}", "true", "\"Sequence\"", "\"(a*)*b\"",
            "\"(?=\"", "\"[^\"", "\"\\\\p{\"", "[[[[[[[["];

    [Fact]
    public void Ten_thousand_damaged_tokenizers_are_refused_or_work()
    {
        var random = new Random(11);
        var worked = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var json = Damage(Encoding.UTF8.GetBytes(Seeds[i % Seeds.Length]), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            if (Works(json)) worked++;
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(used < MostBytes, $"{used} bytes for {Encoding.UTF8.GetString(json)}");
        }
        // Otherwise the damage would be too large to reach anything.
        Assert.InRange(worked, 100, 9_900);
    }

    [Fact]
    public void Rules_that_double_a_text_again_and_again_are_stopped()
    {
        var doubling = string.Join(',', Enumerable.Repeat("""{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""", 40));
        var grows = TokenizerCases.Parse($$"""
            {"normalizer":{"type":"Sequence","normalizers":[{{doubling}}]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]} }
            """);
        var thrown = Assert.Throws<ModelFormatException>(() => grows.Encode("aaa"));
        Assert.Contains("characters of a text", thrown.Message, StringComparison.Ordinal);
        var decodes = TokenizerCases.Parse($$"""
            {"decoder":{"type":"Sequence","decoders":[{{doubling}}]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]} }
            """);
        Assert.Contains("of a token", Assert.Throws<ModelFormatException>(() => decodes.Decode([0])).Message, StringComparison.Ordinal);
    }

    private static bool Works(byte[] json)
    {
        try
        {
            using var parsed = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
            var tokenizer = new Tokenizer(TokenizerJson.Read("tokenizer.json", parsed.RootElement));
            const string text = "ab é k ab's 123  \U0001f600 <s> \u00e9\u0301 漢字\n";
            var ids = tokenizer.Encode(text, addSpecialTokens: true);
            var detailed = tokenizer.EncodeDetailed(text, "ab", true);
            Assert.All(detailed.Offsets, o => Assert.InRange(o.Start, 0, o.End));
            Assert.All(detailed.Offsets, o => Assert.InRange(o.End, o.Start, 40));
            Assert.NotNull(tokenizer.Decode(ids, skipSpecialTokens: false));
            foreach (var id in ids) tokenizer.BytesOf(id, skipSpecialTokens: false);
            return true;
        }
        catch (Exception e) when (e is ModelFormatException or JsonException or PatternException)
        {
            return false;
        }
    }

    private static byte[] Damage(byte[] json, Random random)
    {
        var bytes = json.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at))); break;
                case 3: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 4: Swap(bytes, random); break;
                default: Put(bytes, Tokens[random.Next(Tokens.Length)], random); break;
            }
            if (bytes.Count == 0) bytes.Add((byte)'{');
        }
        return [.. bytes];
    }

    /// <summary>Another value in the place of one.</summary>
    private static void Put(List<byte> bytes, string token, Random random)
    {
        var colon = bytes.IndexOf((byte)':', random.Next(bytes.Count));
        if (colon < 0) return;
        var end = bytes.FindIndex(colon, b => b is (byte)',' or (byte)'}' or (byte)']');
        if (end < 0) return;
        bytes.RemoveRange(colon + 1, end - colon - 1);
        bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(token));
    }

    /// <summary>A digit or letter by another of its kind, which keeps the file readable.</summary>
    private static void Swap(List<byte> bytes, Random random)
    {
        var at = bytes.FindIndex(random.Next(bytes.Count), b => char.IsAsciiLetterOrDigit((char)b));
        if (at >= 0) bytes[at] = char.IsAsciiDigit((char)bytes[at]) ? (byte)('0' + random.Next(10)) : (byte)('a' + random.Next(26));
    }
}
