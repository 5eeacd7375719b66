using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Data;

[Collection(TorchCollection.Name)]
public sealed class ExampleEncoderTests : IDisposable
{
    private static readonly Origin Here = new("rows.jsonl", 3);

    private readonly BaseModel model = BaseModel.Load(Repository.Sample("quickstart", "model"), new LoadOptions(CPU, ScalarType.Float32));

    public void Dispose() => model.Dispose();

    private ExampleEncoder Encoder(bool chat = true, LearnFrom learnFrom = LearnFrom.Completion, int maxLength = 512) =>
        new(model.Tokenizer, chat ? model.ChatTemplate : null, learnFrom, maxLength, model.Config.VocabularySize);

    private string Text(Example example, bool? supervised = null) => model.Tokenizer.Decode(
        example.Ids.Where((_, i) => supervised is null || example.Supervised[i] == supervised), skipSpecialTokens: false);

    [Fact]
    public void A_prompt_is_the_users_turn_and_loss_falls_on_the_answer_and_its_end()
    {
        var example = Assert.Single(Encoder().Encode(new PromptSample(Here, "Where is it?", "{\"team\":\"delivery\"}")));

        Assert.Equal("<|im_start|>user\nWhere is it?<|im_end|>\n<|im_start|>assistant\n", Text(example, supervised: false));
        Assert.Equal("{\"team\":\"delivery\"}<|im_end|>", Text(example, supervised: true));
    }

    [Fact]
    public void Without_a_template_prompt_and_completion_are_joined_and_ended()
    {
        var example = Assert.Single(Encoder(chat: false).Encode(new PromptSample(Here, "Where is it?", " Here.")));

        Assert.Equal("Where is it?", Text(example, supervised: false));
        Assert.Equal(" Here.<|im_end|>", Text(example, supervised: true));
    }

    [Fact]
    public void Every_answer_of_a_chat_is_learnt_and_nothing_else()
    {
        var chat = new ChatSample(Here,
            [new("system", "Be kind."), new("user", "Hi"), new("assistant", "Hello"), new("user", "Why?"), new("assistant", "So.")]);

        var example = Assert.Single(Encoder().Encode(chat));

        Assert.Equal("Hello<|im_end|>So.<|im_end|>", Text(example, supervised: true));
        Assert.Equal(
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            + "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nSo.<|im_end|>", Text(example));
    }

    [Fact]
    public void Where_a_template_marks_what_the_assistant_wrote_that_is_learnt()
    {
        var template = new ChatTemplate(
            "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content | upper }}<|im_end|>"
            + "{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}{{ '\\n' }}{% endfor %}");
        var chat = new ChatSample(Here, [new("user", "Hi"), new("assistant", "Hello"), new("user", "Why?"), new("assistant", "So.")]);

        var example = Assert.Single(
            new ExampleEncoder(model.Tokenizer, template, LearnFrom.Completion, maxLength: 512, model.Config.VocabularySize).Encode(chat));

        Assert.Equal("HELLO<|im_end|>SO.<|im_end|>", Text(example, supervised: true));
        Assert.Equal(
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
            Text(example, supervised: false));
    }

    [Fact]
    public void Learning_from_all_counts_the_first_token_only_where_virtual_tokens_stand_before_it()
    {
        var example = Assert.Single(Encoder(learnFrom: LearnFrom.All).Encode(new PromptSample(Here, "a", "b")));

        Assert.Equal(example.Length - 1, example.SupervisedTokens);
        Assert.Equal(example.Length, example.SupervisedBehind(new Lead(2, 0)));
        Assert.Equal(example.Length - 1, example.SupervisedBehind(new Lead(0, 2)));
        Assert.False(example.Counts(0, default));
    }

    [Fact]
    public void What_is_too_long_is_cut_and_counted()
    {
        var encoder = Encoder(maxLength: 12);

        var example = Assert.Single(encoder.Encode(new PromptSample(Here, "a", "one two three four five six seven")));

        Assert.Equal((12, 1), (example.Length, encoder.Cut));
    }

    [Fact]
    public void A_text_file_is_learnt_in_consecutive_windows()
    {
        var text = string.Concat(Enumerable.Range(0, 40).Select(i => $"line {i}\n"));

        var windows = Encoder(maxLength: 16).Encode(new TextSample(Here, text, Continuous: true)).ToList();

        Assert.All(windows.SkipLast(1), w => Assert.Equal((16, 15), (w.Length, w.SupervisedTokens)));
        Assert.Equal(text + "<|im_end|>", string.Concat(windows.Select(w => Text(w))));
    }

    [Fact]
    public void Messages_without_a_template_are_refused_by_line()
    {
        var error =
            Assert.Throws<RunFailedException>(() =>
                Encoder(chat: false).Encode(new ChatSample(Here, [new("user", "a"), new("assistant", "b")])));

        Assert.Contains("rows.jsonl line 3: the model has no chat template", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_asks_for_the_last_answer()
    {
        var chat = new ChatSample(Here, [new("user", "Hi"), new("assistant", "Hello"), new("user", "Why?"), new("assistant", "So.")]);

        var question = Encoder().Ask(chat)!;

        Assert.Equal("So.", question.Answer);
        Assert.EndsWith("Why?<|im_end|>\n<|im_start|>assistant\n", model.Tokenizer.Decode(question.PromptIds, skipSpecialTokens: false),
            StringComparison.Ordinal);
        Assert.Null(Encoder().Ask(new TextSample(Here, "plain")));
    }

    [Fact]
    public void Rows_of_a_byte_level_model_become_the_tokens_of_their_pieces()
    {
        var rows = SampleReader.Read(new DataSource("train.jsonl", Repository.Sample("quickstart", "data", "train.jsonl")));
        foreach (var row in rows.Take(300).Cast<PromptSample>())
        {
            var prompt = model.ChatTemplate!.Render([new("user", row.Prompt)], addGenerationPrompt: true);
            int[] pieces = [.. model.Tokenizer.Encode(prompt), .. model.Tokenizer.Encode(row.Completion + "<|im_end|>")];
            Assert.Equal(pieces, Assert.Single(Encoder().Encode(row)).Ids);
        }
    }

    [Fact]
    public void A_row_with_a_token_that_the_model_has_no_embedding_for_is_refused_by_line()
    {
        var encoder = new ExampleEncoder(
            model.Tokenizer, model.ChatTemplate, LearnFrom.Completion, maxLength: 512, model.Tokenizer.IdOf("<|im_end|>")!.Value + 1);
        var beyond = model.Tokenizer.Decode([model.Tokenizer.IdOf("<|im_end|>")!.Value + 3], skipSpecialTokens: false);

        foreach (var ask in new Action[]
        {
            () => encoder.Encode(new PromptSample(Here, beyond, "x")), () => encoder.Ask(new PromptSample(Here, beyond, "x")),
        })
        {
            var error = Assert.Throws<RunFailedException>(ask);
            Assert.Equal(FailureClass.DataError, error.Class);
            Assert.Contains("rows.jsonl line 3: it holds '", error.Message, StringComparison.Ordinal);
            Assert.Contains("the model has an embedding for only", error.Message, StringComparison.Ordinal);
        }
    }
}
