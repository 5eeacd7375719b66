using Graft.Benchmarks.Smollm2;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Data;

/// <summary>Rows become tokens as one text, whatever the tokenizer does at the beginning of a text or over a border.</summary>
[Collection(TorchCollection.Name)]
public sealed class WholeTextTests
{
    private const string Sign = "\u2581";
    private static readonly Origin Here = new("rows.jsonl", 3);

    /// <summary>Mistral's, in short: what an answer ends with is the text of the end token.</summary>
    private static readonly ChatTemplate Instructions = new(
        "{{ '<s>' }}{% for m in messages %}{% if m.role == 'user' %}{{ ' [INST] ' + m.content + ' [/INST]' }}"
        + "{% else %}{{ ' ' + m.content + '</s>' }}{% endif %}{% endfor %}");

    private static readonly ChatTemplate Marked = new(
        "{% for m in messages %}{{ m.role + ': ' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
        + "{% else %}{{ m.content }}{% endif %}{{ ' / ' }}{% endfor %}");

    private static readonly ChatMessage[] Talk =
        [new("user", "thing"), new("assistant", "na\u00efve \U0001f600 one"), new("user", "more"), new("assistant", "two")];

    private static ITokenizer Open(string name) =>
        TokenizerLoader.Load(Repository.Fixture("tokenizers", "small", name, "tokenizer.json"));

    private static ExampleEncoder Encoder(ITokenizer tokenizer, ChatTemplate? template) =>
        new(new Ending(tokenizer), template, LearnFrom.Completion, maxLength: 512, tokenizer.VocabularySize);

    [Theory]
    [InlineData("sp_bpe")]
    [InlineData("metaspace_bpe_mistral")]
    [InlineData("byte_bpe")]
    public void A_chat_has_the_ids_of_its_whole_text(string name)
    {
        var tokenizer = Open(name);
        var text = Instructions.Render(Talk, addGenerationPrompt: false);

        var example = Assert.Single(Encoder(tokenizer, Instructions).Encode(new ChatSample(Here, Talk)));

        var end = tokenizer.IdOf("</s>");
        Assert.Equal(end is null ? Inserted(tokenizer, text) : [.. tokenizer.Encode(text)], example.Ids);
    }

    /// <summary>Of a tokenizer to which <c>&lt;/s&gt;</c> is plain text: the end token follows each answer.</summary>
    private static int[] Inserted(ITokenizer tokenizer, string text)
    {
        var first = text.IndexOf("</s>", StringComparison.Ordinal) + "</s>".Length;
        var count = tokenizer.EncodeDetailed(text).Offsets.Count(o => o.Start < first - 1);
        var ids = tokenizer.Encode(text);
        return [.. ids.Take(count), Ending.Id(tokenizer), .. ids.Skip(count), Ending.Id(tokenizer)];
    }

    [Theory]
    [InlineData("sp_bpe")]
    [InlineData("metaspace_bpe_mistral")]
    public void Loss_falls_on_every_answer_and_its_end(string name)
    {
        var tokenizer = Open(name);

        var example = Assert.Single(Encoder(tokenizer, Instructions).Encode(new ChatSample(Here, Talk)));

        var learnt = example.Ids.Where((_, i) => example.Supervised[i]).ToList();
        Assert.Equal("na\u00efve \U0001f600 one two", tokenizer.Decode(learnt).Trim());
        Assert.Equal(2, learnt.Count(id => id == tokenizer.IdOf("</s>")));
        Assert.Equal(tokenizer.IdOf("</s>"), example.Ids[^1]);
        // The answer's own blank, and not another at the border.
        Assert.Equal(tokenizer.Encode(Instructions.Render(Talk[..2], addGenerationPrompt: false)).Count(id => id == tokenizer.IdOf(Sign)),
            example.Ids.Take(example.Ids.IndexOf(tokenizer.IdOf("</s>")!.Value)).Count(id => id == tokenizer.IdOf(Sign)));
    }

    [Theory]
    [InlineData("sp_bpe")]
    [InlineData("metaspace_bpe_mistral")]
    [InlineData("byte_bpe")]
    public void What_a_template_marks_is_learnt_within_the_whole_text(string name)
    {
        var tokenizer = Open(name);
        var rendered = Marked.RenderWithSpans(Talk);
        var text = rendered.Text[..rendered.AssistantSpans[^1].End];

        var example = Assert.Single(Encoder(tokenizer, Marked).Encode(new ChatSample(Here, Talk)));

        Assert.Equal(tokenizer.Encode(text), example.Ids);
        Assert.Equal("na\u00efve \U0001f600 one two",
            tokenizer.Decode(example.Ids.Where((_, i) => example.Supervised[i])).Trim().Replace("onetwo", "one two", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sp_bpe", "The thing is:", " one")]
    [InlineData("metaspace_bpe_mistral", "The thing is:", " one")]
    [InlineData("sp_bpe", "The thing is: ", "one")]
    [InlineData("metaspace_bpe_mistral", "The thing is: ", "one")]
    [InlineData("byte_bpe", "The thing is: th", "ing ")]
    [InlineData("roberta", "The thing is", " one ")]
    public void A_prompt_and_its_completion_have_the_ids_of_both_joined(string name, string prompt, string completion)
    {
        var tokenizer = Open(name);
        var joined = tokenizer.EncodeDetailed(prompt + completion, addSpecialTokens: true);

        var example = Assert.Single(Encoder(tokenizer, template: null).Encode(new PromptSample(Here, prompt, completion)));

        var before = joined.SpecialTokensMask.TakeWhile(m => m == 1).Count();
        var inside = joined.SpecialTokensMask.Count(m => m == 0);
        Assert.Equal([.. joined.Ids.Take(before + inside), Ending.Id(tokenizer)], example.Ids);
        // From the token that holds the answer's first character.
        var first = joined.Offsets.Take(before + inside).ToList().FindIndex(before, o => o.End > prompt.Length);
        Assert.Equal(Enumerable.Range(0, example.Length).Select(i => i >= first), example.Supervised);
    }

    [SkippableFact]
    public void RealModel_smollm2s_recipe_has_the_tokens_of_prompts_and_answers()
    {
        var folder =
            Path.Combine(Environment.GetEnvironmentVariable("GRAFT_MODELS") ?? Repository.Shared("models"), "smollm2-135m-instruct");
        Skip.IfNot(Directory.Exists(folder), $"the real model {folder} is not there; GRAFT_MODELS may name the folder that holds it");
        var recipe = SnipsRecipe.Read(folder);
        using var model = BaseModel.Load(recipe.Model, new LoadOptions(CPU, ScalarType.Float32));
        var tokenizer = model.Tokenizer;
        foreach (var row in recipe.TrainRows.Cast<PromptSample>())
        {
            int[] pieces = [.. tokenizer.Encode(row.Prompt, addSpecialTokens: true), .. tokenizer.Encode(row.Completion), Ending.Id(tokenizer)];
            Assert.Equal(pieces, Assert.Single(Encoder(tokenizer, template: null).Encode(row)).Ids);
        }
    }

    /// <summary>A tokenizer.json by itself names no end token.</summary>
    private sealed class Ending(ITokenizer inner) : ITokenizer
    {
        public static int Id(ITokenizer tokenizer) => tokenizer.IdOf("</s>") ?? tokenizer.IdOf("<|endoftext|>") ?? 0;

        public int VocabularySize => inner.VocabularySize;
        public int? BosId => null;
        public int? EosId => Id(inner);
        public int? PadId => null;
        public IReadOnlySet<int> EndOfGenerationIds => new HashSet<int> { Id(inner) };
        public bool JoinsBytes => inner.JoinsBytes;
        public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false) => inner.Encode(text, addSpecialTokens);
        public TextEncoding EncodeDetailed(string text, string? pair = null, bool addSpecialTokens = false) =>
            inner.EncodeDetailed(text, pair, addSpecialTokens);
        public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true) => inner.Decode(ids, skipSpecialTokens);
        public int? IdOf(string token) => inner.IdOf(token);
        public ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true) => inner.BytesOf(id, skipSpecialTokens);
    }
}
