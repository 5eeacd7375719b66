using System.Diagnostics;
using Graft.Modeling.Tokenizers.Models;

namespace Graft.Modeling.Tests.Tokenizers;

public sealed class BpeTests
{
    private static readonly string[] Letters = ["t", "h", "e", "i", "n", "g", "\u2581", "a"];
    private static readonly (string, string)[] Merges = [("t", "h"), ("i", "n"), ("th", "e"), ("in", "g"), ("\u2581", "the"), ("a", "a"),
        ("aa", "aa"), ("\u2581", "\u2581")];

    [Fact]
    public void Long_and_short_pieces_are_joined_alike()
    {
        var vocabulary = new Vocabulary([.. Letters, .. Merges.Select(m => m.Item1 + m.Item2)]);
        var ranks = Merges.Select((m, i) =>
            (Key: BpeMerger.Key(Id(vocabulary, m.Item1), Id(vocabulary, m.Item2)), Value: (i, Id(vocabulary, m.Item1 + m.Item2))))
            .ToDictionary(m => m.Key, m => m.Value);
        var (merger, random) = (new BpeMerger(ranks), new Random(3));
        for (var i = 0; i < 400; i++)
        {
            var ids = Enumerable.Range(0, 1 + random.Next(120)).Select(_ => random.Next(Letters.Length)).ToArray();
            var widths = Enumerable.Repeat(1, ids.Length).ToArray();
            var wanted = Slowly(ids, ranks);
            var count = merger.Merge(ids, widths);
            Assert.Equal(wanted, ids.AsSpan(0, count).ToArray());
            Assert.Equal(ids.Length, widths.Take(count).Sum());
        }
    }

    [Fact]
    public void A_piece_cut_where_nothing_joins_has_the_tokens_of_the_whole()
    {
        var vocabulary = new Vocabulary([.. Letters, .. Merges.Select(m => m.Item1 + m.Item2), "<unk>"]);
        var model = new BpeModel(vocabulary, Merges, new BpeOptions("<unk>", FuseUnknown: true));
        var ranks = Merges.Select((m, i) =>
            (Key: BpeMerger.Key(Id(vocabulary, m.Item1), Id(vocabulary, m.Item2)), Value: (i, Id(vocabulary, m.Item1 + m.Item2))))
            .ToDictionary(m => m.Key, m => m.Value);
        var random = new Random(4);
        for (var i = 0; i < 200; i++)
        {
            var text = string.Concat(Enumerable.Range(0, 65 + random.Next(200)).Select(_ => Letters[random.Next(Letters.Length)]));
            var sink = new TokenSink(detailed: true);
            model.Encode(text, sink);
            Assert.Equal(Slowly([.. text.Select(c => Id(vocabulary, c.ToString()))], ranks), sink.Ids);
            Assert.Equal(text, string.Concat(sink.Spans.Select(s => text[s.Start..s.End])));
        }
        // Unknown characters side by side stay one token over a cut.
        var unknown = new TokenSink(detailed: false);
        model.Encode(new string('x', 200) + "the", unknown);
        Assert.Equal([Id(vocabulary, "<unk>"), Id(vocabulary, "the")], unknown.Ids);
    }

    [Fact]
    public void Old_files_name_no_model_and_keep_the_heading_of_their_merges()
    {
        var tokenizer = TokenizerCases.Parse("""
            {"model":{"dropout":null,"unk_token":"","vocab":{"a":0,"b":1,"ab":2},"merges":["#version: 0.2","a b"]}}
            """);
        Assert.Equal([2, 0], tokenizer.Encode("aba"));
    }

    [Theory]
    [InlineData("byte_bpe", "theing")]
    [InlineData("byte_bpe_llama3", " ")]
    [InlineData("byte_bpe_llama3", "7")]
    [InlineData("sp_bpe", "theing")]
    [InlineData("sp_bpe", "a")]
    [InlineData("metaspace_bpe_gemma", " ")]
    [InlineData("unigram", "theing")]
    [InlineData("unigram_precompiled", "\u00e9")]
    [InlineData("wordpiece", "theing")]
    [InlineData("byte_bpe_qwen2", "e\u0301")]
    public void Millions_of_characters_without_a_break_are_no_trap(string name, string part)
    {
        var tokenizer = TokenizerCases.Open(Fixtures.Path("tokenizers", "small", name));
        TimeSpan Time(int length)
        {
            var text = string.Concat(Enumerable.Repeat(part, length / part.Length));
            var watch = Stopwatch.StartNew();
            Assert.NotEmpty(tokenizer.Encode(text));
            return watch.Elapsed;
        }
        Time(100_000);
        var (small, large) = (Time(500_000), Time(4_000_000));
        // Eight times as long; quadratic would be 64 times.
        Assert.True(large < small * 40 + TimeSpan.FromSeconds(2), $"500,000 characters took {small}, 4,000,000 {large}");
    }

    private static int Id(Vocabulary vocabulary, string token) => vocabulary.IdOf(token)!.Value;

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
}
