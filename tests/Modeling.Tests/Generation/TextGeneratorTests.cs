using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Generation;

[Collection(TorchCollection.Name)]
public sealed class TextGeneratorTests : IDisposable
{
    private readonly BaseModel model = BaseModel.Load(Fixtures.Path("gguf", "byte_bpe-q4_0"),
        new LoadOptions(Fixtures.Cpu, ScalarType.Float32));

    private static readonly SamplingOptions Greedy = new(MaxTokens: 12, IgnoreEndOfGeneration: true);

    [Fact]
    public void A_batch_answers_as_each_prompt_alone()
    {
        var generator = new TextGenerator(model);
        var prompts = new[] { "a", "the thing is", "one two three four five six", "é", "the thing is" }.Select(t =>
            model.Tokenizer.Encode(t)).ToList();
        foreach (var options in new[]
        {
            Greedy, Greedy with { Temperature = 1, TopP = 0.9, TopK = 50, Seed = 3 },
            Greedy with { Temperature = 1.3, MinP = 0.01, RepetitionPenalty = 1.2, Seed = 5, MaxTokens = 80 },
        })
        {
            var alone = prompts.Select(p => generator.Generate(p, options)).ToList();
            foreach (var size in new[] { 2, 16 })
            {
                var together = generator.GenerateBatch(prompts, options, batchSize: size);
                Assert.Equal(alone.Select(a => a.Ids), together.Select(t => t.Ids));
                Assert.Equal(alone.Select(a => a.Text), together.Select(t => t.Text));
            }
        }
    }

    [Fact]
    public void A_seed_decides_what_is_drawn()
    {
        var generator = new TextGenerator(model);
        var prompt = model.Tokenizer.Encode("the");
        IReadOnlyList<int> Draw(long seed, double temperature) =>
            generator.Generate(prompt, Greedy with { Temperature = temperature, Seed = seed }).Ids;
        Assert.Equal(Draw(1, 1), Draw(1, 1));
        Assert.NotEqual(Draw(1, 1), Draw(2, 1));
        Assert.Equal(generator.Generate(prompt, Greedy).Ids, Draw(5, 1e-6));
        Assert.Equal(generator.Generate(prompt, Greedy).Ids, generator.Generate(prompt, Greedy with { Temperature = 1, TopK = 1 }).Ids);
        Assert.Equal(generator.Generate(prompt, Greedy).Ids, generator.Generate(prompt, Greedy with { Temperature = 1, TopP = 1e-9 }).Ids);
    }

    [Fact]
    public void Stop_strings_and_ids_end_the_answer_before_themselves()
    {
        var generator = new TextGenerator(model);
        var prompt = model.Tokenizer.Encode("the");
        var whole = generator.Generate(prompt, Greedy);
        Assert.Equal(FinishReason.Length, whole.Finish);
        Assert.Equal(12, whole.Ids.Count);
        var stop = whole.Text[3..5];
        var stopped = generator.Generate(prompt, Greedy with { Stop = [stop] });
        Assert.Equal(FinishReason.Stop, stopped.Finish);
        Assert.Equal(whole.Text[..whole.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        var byId = generator.Generate(prompt, Greedy with { StopIds = [whole.Ids[4]] });
        Assert.Equal(FinishReason.Stop, byId.Finish);
        Assert.Equal(whole.Ids.TakeWhile(i => i != whole.Ids[4]).Append(whole.Ids[4]), byId.Ids);
    }

    [Fact]
    public void Streamed_parts_are_the_whole_text_and_log_probabilities_are_the_scores()
    {
        var prompt = model.Tokenizer.Encode("the thing");
        using var sequence = new GenerationSequence(model, prompt, Greedy with { TopLogProbs = 3 });
        var generator = new TextGenerator(model);
        var text = "";
        while (sequence.Finish is null) text += Assert.Single(generator.Step([sequence])).Text;
        Assert.Equal(sequence.Result.Text, text);
        var scores = generator.Score([.. prompt, .. sequence.GeneratedIds]).Skip(prompt.Count - 1).ToList();
        var found = sequence.Result.LogProbs!;
        Assert.Equal(scores.Count, found.Count);
        for (var i = 0; i < scores.Count; i++)
        {
            Assert.Equal(scores[i], found[i].LogProb, 1e-4);
            Assert.Equal(3, found[i].Top.Count);
            Assert.Equal(found[i].Id, found[i].Top[0].Id);
        }
    }

    [Fact]
    public void Prompts_that_cannot_be_answered_are_refused()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => new GenerationSequence(model, [], Greedy)).Message,
            StringComparison.Ordinal);
        var longest = Enumerable.Repeat(5, model.MaxLength).ToArray();
        Assert.Contains("takes 512", Assert.Throws<ArgumentException>(() => new GenerationSequence(model, longest, Greedy)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new GenerationSequence(model, [520], Greedy));
        var result = new TextGenerator(model).Generate(longest[..^2], Greedy);
        Assert.Equal((2, FinishReason.Length), (result.Ids.Count, result.Finish));
    }

    [Fact]
    public void A_stop_string_is_found_where_it_lies_across_tokens_and_inside_characters()
    {
        // The tokenizer has bytes, so that the three of a sign are three tokens.
        var ids = model.Tokenizer.Encode("a\u20ac!b");
        Assert.True(ids.Count >= 5);
        var (decoder, detector) = (new IncrementalDecoder(model.Tokenizer), new StopDetector(["\u20ac!"]));
        var text = string.Concat(ids.Select(id => detector.Add(decoder.Add(id))));
        Assert.Equal(("a", true), (text, detector.Stopped));
    }

    [Fact]
    public void A_repetition_penalty_keeps_an_answer_from_repeating_itself()
    {
        var generator = new TextGenerator(model);
        var prompt = model.Tokenizer.Encode("the");
        var free = generator.Generate(prompt, Greedy with { MaxTokens = 60 });
        var penalised = generator.Generate(prompt, Greedy with { MaxTokens = 60, RepetitionPenalty = 1e6 });
        Assert.True(penalised.Ids.Distinct().Count() > free.Ids.Distinct().Count() || penalised.Ids.Distinct().Count() == 60);
        Assert.DoesNotContain(penalised.Ids, prompt.Contains);
    }

    [Fact]
    public void Sampling_options_that_have_no_meaning_are_refused()
    {
        foreach (var options in new[] { Greedy with { MinP = 1.5 }, Greedy with { MinP = double.NaN },
            Greedy with { RepetitionPenalty = 0 } })
            Assert.Throws<ArgumentException>(() => new GenerationSequence(model, [1], options));
    }

    [Theory]
    [InlineData(new[] { "ab" }, "xa|by|z", "x", true)]
    [InlineData(new[] { "ab" }, "xa|cy", "xacy", false)]
    [InlineData(new[] { "aab" }, "aa|ab", "a", true)]
    [InlineData(new[] { "zz", "b" }, "ab|zz", "a", true)]
    [InlineData(new[] { "abc" }, "ab", "ab", false)]
    public void A_stop_string_is_found_across_parts(string[] stops, string parts, string text, bool stopped)
    {
        var detector = new StopDetector(stops);
        var found = string.Concat(parts.Split('|').Select(detector.Add)) + detector.Finish();
        Assert.Equal((text, stopped), (found, detector.Stopped));
    }

    public void Dispose() => model.Dispose();
}
