using System.Text.Json.Nodes;
using Graft.Modeling.Tests.Files;
using Graft.Modeling.Tokenizers.Gguf;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Tokenizers;

/// <summary>Tokenizers of folders, written to GGUF and read back.</summary>
[Collection(TorchCollection.Name)]
public sealed class GgufVocabularyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    private string Target => Path.Combine(folder, "x.gguf");

    /// <summary>The golden tokenizers without the added tokens whose flags GGUF cannot say, and their golden texts without those.</summary>
    [Theory]
    [InlineData("byte_bpe", "gpt2", "gpt-2")]
    [InlineData("byte_bpe_llama3", "gpt2", "llama-bpe")]
    [InlineData("byte_bpe_qwen2", "gpt2", "qwen2")]
    [InlineData("sp_bpe", "llama", "default")]
    [InlineData("metaspace_bpe_gemma", "llama", "default")]
    public void Texts_become_the_same_tokens_after_the_way_to_gguf_and_back(string name, string kind, string pre)
    {
        var source = Convert(name, _ => { });
        using var file = GgufFile.Open(Target);
        Assert.Equal((kind, pre), (file.Text("tokenizer.ggml.model"), file.Text("tokenizer.ggml.pre")));
        var back = Directory.CreateDirectory(Path.Combine(folder, "back")).FullName;
        ModelConversion.ToFolder(Target, back, null);
        using var original = Load(source);
        using var stored = Load(Target);
        using var again = Load(back);
        var count = 0;
        foreach (var @case in TokenizerCases.Lines(Fixtures.Path("tokenizers", "small", name, "cases.jsonl")))
        {
            var text = @case.Text("text");
            // llama.cpp, and so a file, has no NFC; nothing below the combining marks is changed by it.
            if (name == "byte_bpe_qwen2" && text.Any(c => c >= 0x300)) continue;
            count++;
            foreach (var special in new[] { false, true })
            {
                var wanted = original.Tokenizer.Encode(text, addSpecialTokens: special);
                foreach (var other in new[] { stored, again })
                    Assert.Equal((text, string.Join(' ', wanted)),
                        (text, string.Join(' ', other.Tokenizer.Encode(text, addSpecialTokens: special))));
                Assert.Equal(original.Tokenizer.Decode(wanted), stored.Tokenizer.Decode(wanted));
            }
        }
        Assert.InRange(count, 30, int.MaxValue);
    }

    /// <summary>Merges that were learnt are exact as scores: the golden ids of the GGUF fixtures, which llama.cpp agrees with.</summary>
    [Fact]
    public void Scores_from_merges_give_the_golden_ids_of_sentence_pieces()
    {
        var model = TinyModel.Make(folder, "llama", c => c["vocab_size"] = 2048);
        File.Copy(Fixtures.Path("gguf", "tokenizer-sp_bpe.json"), Path.Combine(model, "tokenizer.json"), overwrite: true);
        File.Delete(Path.Combine(model, "model.safetensors"));
        Enlarge(model);
        ModelConversion.ToGguf(model, Target, "F32");
        using var stored = Load(Target);
        foreach (var @case in TokenizerCases.Lines(Fixtures.Path("gguf", "tokenize-sp_bpe.jsonl")))
            Assert.Equal((@case.Text("text"), string.Join(' ', @case.Ints("ids"))),
                (@case.Text("text"), string.Join(' ', stored.Tokenizer.Encode(@case.Text("text")))));
    }

    [Theory]
    [InlineData("sp_bpe", """{"id": 610, "content": "zz", "single_word": true}""", "token 'zz' has 'single_word'")]
    [InlineData("sp_bpe", """{"id": 610, "content": "zz", "normalized": true}""", "normalized text")]
    [InlineData("byte_bpe", """{"id": 610, "content": "zz", "lstrip": true}""", "token 'zz' has 'lstrip'")]
    public void A_flag_of_an_added_token_that_gguf_cannot_say_is_refused(string name, string token, string message)
    {
        var thrown = Assert.Throws<ModelFormatException>(() => Convert(name, t => t["added_tokens"]!.AsArray().Add(JsonNode.Parse(token))));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("metaspace_bpe_mistral", "its normalizer is not the one of SentencePiece")]
    [InlineData("unigram_bytes", "its model 'Unigram'")]
    [InlineData("wordpiece", "its model 'WordPiece'")]
    public void A_tokenizer_with_which_llama_cpp_would_make_other_tokens_is_refused(string name, string message)
    {
        var thrown = Assert.Throws<ModelFormatException>(() => Convert(name, _ => { }));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>"abc" is a token, but "bc" is joined first, and nothing joins "a" with it.</summary>
    [Fact]
    public void Merges_that_scores_cannot_say_are_refused()
    {
        string[] tokens = ["a", "b", "c", "bc", "ab", "abc"];
        var thrown = Assert.Throws<FormatException>(
            () => GgufSentencePieces.Scores(tokens, _ => false, [("b", "c"), ("a", "b"), ("ab", "c")]));
        Assert.Contains("'a' and 'bc' apart", thrown.Message, StringComparison.Ordinal);
        Assert.Equal([-1f, -2f, -0f], Order(GgufSentencePieces.Scores(tokens, _ => false, [("b", "c"), ("a", "b"), ("a", "bc")])));

        float[] Order(float[] scores) => [scores[4], scores[5], scores[3]];
    }

    /// <summary>
    /// Drawn merges and texts, against plain readings of both algorithms; llama.cpp's <c>llm_tokenizer_spm</c> joins by score.
    /// </summary>
    [Fact]
    public void Scores_join_what_the_merges_join_or_are_refused()
    {
        var random = new Random(5);
        var (exact, refused) = (0, 0);
        for (var round = 0; round < 400; round++)
        {
            List<string> tokens = ["a", "b", "c"];
            List<(string Left, string Right)> merges = [];
            for (var i = 0; i < 8; i++)
            {
                var pair = (tokens[random.Next(tokens.Count)], tokens[random.Next(tokens.Count)]);
                if (merges.Contains(pair)) continue;
                merges.Add(pair);
                if (!tokens.Contains(pair.Item1 + pair.Item2)) tokens.Add(pair.Item1 + pair.Item2);
            }
            float[] scores;
            try
            {
                scores = GgufSentencePieces.Scores(tokens, _ => false, merges);
            }
            catch (FormatException)
            {
                refused++;
                continue;
            }
            exact++;
            for (var i = 0; i < 40; i++)
            {
                var text = new string(random.GetItems("abc".AsSpan(), random.Next(2, 24)));
                var byRank = Joined(text, (l, r) => merges.IndexOf((l, r)) is var rank and >= 0 ? rank : null);
                var byScore = Joined(text, (l, r) => tokens.IndexOf(l + r) is var id and >= 0 ? -scores[id] : null);
                Assert.Equal((text, string.Join(' ', byRank)), (text, string.Join(' ', byScore)));
            }
        }
        Assert.InRange(exact, 40, 360);
        Assert.InRange(refused, 40, 360);
    }

    /// <summary>Joins the pair of the least number, the leftmost of equal ones, for as long as there is one.</summary>
    private static List<string> Joined(string text, Func<string, string, double?> numberOf)
    {
        var parts = text.Select(c => c.ToString()).ToList();
        while (true)
        {
            var best = Enumerable.Range(0, parts.Count - 1).Select(i => (At: i, Number: numberOf(parts[i], parts[i + 1])))
                .Where(p => p.Number is not null).OrderBy(p => p.Number).ThenBy(p => p.At).FirstOrDefault((-1, null));
            if (best.At < 0) return parts;
            parts[best.At] += parts[best.At + 1];
            parts.RemoveAt(best.At + 1);
        }
    }

    [Fact]
    public void Every_known_pre_tokenizer_has_a_name_that_means_the_same_patterns()
    {
        foreach (var name in GgufPreTokenizers.Names)
        {
            var (patterns, ignoreMerges) = GgufPreTokenizers.Find(name)!.Value;
            var found = GgufPreTokenizers.NameOf(patterns, ignoreMerges)!;
            Assert.Equal(patterns, GgufPreTokenizers.Find(found)!.Value.Patterns);
        }
        Assert.Equal("deepseek-v3", GgufPreTokenizers.NameOf(
            [@"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", GgufPreTokenizers.Find("deepseek-v3")!.Value.Patterns[2]], false));
        Assert.Null(GgufPreTokenizers.NameOf(["x"], false));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static BaseModel Load(string path) => BaseModel.Load(path, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));

    /// <summary>A model with a golden tokenizer, to GGUF; returns the model's folder.</summary>
    private string Convert(string name, Action<JsonObject> change)
    {
        var model = TinyModel.Make(folder, "llama", c => (c["vocab_size"], c["bos_token_id"]) = (2048, name == "byte_bpe_llama3" ? 0 : 1));
        var tokenizer = JsonNode.Parse(File.ReadAllText(Fixtures.Path("tokenizers", "small", name, "tokenizer.json")))!.AsObject();
        var added = tokenizer["added_tokens"]!.AsArray();
        bool Is(JsonNode token, string flag) => token[flag]!.GetValue<bool>();
        foreach (var token in added.ToList())
            if (Is(token!, "single_word") || Is(token!, "lstrip") || Is(token!, "rstrip") || Is(token!, "normalized")) added.Remove(token);
        change(tokenizer);
        File.WriteAllText(Path.Combine(model, "tokenizer.json"), tokenizer.ToJsonString());
        Enlarge(model);
        ModelConversion.ToGguf(model, Target, "F32");
        return model;
    }

    /// <summary>Random weights with an embedding of 2048 rows.</summary>
    private static void Enlarge(string model)
    {
        File.Delete(Path.Combine(model, "model.safetensors"));
        using var drawn = BaseModel.Load(
            model, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RandomWeights: true, RequireTokenizer: false));
        var made = Directory.CreateTempSubdirectory("graft-").FullName;
        ModelWriter.Save(drawn, made, ScalarType.Float32);
        File.Move(Path.Combine(made, "model.safetensors"), Path.Combine(model, "model.safetensors"));
        Directory.Delete(made, recursive: true);
    }
}
