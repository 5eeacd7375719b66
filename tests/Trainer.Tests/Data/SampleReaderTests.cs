using System.Text;
using Graft.Contract;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Data;

public sealed class SampleReaderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private IReadOnlyList<Sample> Read(string name, string text, DataColumns? columns = null) =>
        SampleReader.Read(new DataSource(name, folder.Write(name, text), Columns: columns));

    private string Error(string name, string text, DataColumns? columns = null)
    {
        var error = Assert.Throws<RunFailedException>(() => Read(name, text, columns));
        Assert.Equal(FailureClass.DataError, error.Class);
        return error.Message;
    }

    [Fact]
    public void Json_lines_hold_prompts_messages_or_texts()
    {
        var prompt = Assert.IsType<PromptSample>(Assert.Single(Read("a.jsonl", """{"prompt": "p", "completion": 7, "other": []}""")));
        var chat = Assert.IsType<ChatSample>(Assert.Single(Read("b.jsonl",
            """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}""")));
        var text = Assert.IsType<TextSample>(Assert.Single(Read("c.jsonl", """{"text": "t\u00e9"}""")));

        Assert.Equal(("p", "7"), (prompt.Prompt, prompt.Completion));
        Assert.Equal(["user", "assistant"], chat.Messages.Select(m => m.Role));
        Assert.Equal("té", text.Text);
        Assert.False(text.Continuous);
    }

    [Fact]
    public void Blank_lines_and_a_byte_order_mark_are_passed_over_but_counted()
    {
        var rows = Read("a.jsonl", "\ufeff{\"text\": \"a\"}\r\n\r\n  \n{\"text\": \"b\"}\n");

        Assert.Equal([1, 4], rows.Select(r => r.Origin.Line));
    }

    [Fact]
    public void A_table_may_have_quotes_line_breaks_and_columns_of_any_name()
    {
        var rows =
            Read("a.csv", "category,text\r\nx,\"a \"\"b\"\",\nc\"\r\ny,d\r\n", new DataColumns(Prompt: "text", Completion: "category"));

        Assert.Equal(["a \"b\",\nc", "d"], rows.Cast<PromptSample>().Select(r => r.Prompt));
        Assert.Equal(["x", "y"], rows.Cast<PromptSample>().Select(r => r.Completion));
    }

    [Fact]
    public void A_text_file_is_one_text()
    {
        var text = Assert.IsType<TextSample>(Assert.Single(Read("a.txt", "one\n\ntwo\n")));

        Assert.Equal("one\n\ntwo\n", text.Text);
        Assert.True(text.Continuous);
    }

    [Theory]
    [InlineData("{\"text\": \"a\"}\n{\"text\": \"b\"\n", "a.jsonl line 2: not one JSON object")]
    [InlineData("{\"text\": \"a\"} {\"text\": \"b\"}\n", "a.jsonl line 1: not one JSON object")]
    [InlineData("{\"text\": \"a\", \"text\": \"b\"}\n", "a.jsonl line 1: not one JSON object")]
    [InlineData("\n[1]\n", "a.jsonl line 2: a line must hold one JSON object")]
    [InlineData("{\"text\": null}\n", "a.jsonl line 1: \"text\" must be a text")]
    [InlineData("{\"question\": \"a\"}\n", "a.jsonl line 1: no prompt and completion, no messages, no text among its columns (question)")]
    [InlineData("{\"prompt\": \"a\"}\n", "a.jsonl line 1: no prompt and completion")]
    [InlineData("{\"prompt\": [], \"completion\": \"b\"}\n", "a.jsonl line 1: \"prompt\" must be a text")]
    [InlineData("{\"messages\": []}\n", "a.jsonl line 1: \"messages\" must be a list of messages")]
    [InlineData("{\"messages\": [{\"role\": \"user\"}]}\n", "a.jsonl line 1: no \"content\"")]
    [InlineData("\n\n", "a.jsonl has no rows")]
    [InlineData("", "a.jsonl is empty")]
    public void A_broken_line_is_named_with_the_reason(string text, string expected) =>
        Assert.Contains(expected, Error("a.jsonl", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("text,category\na,b\nc\n", "a.csv line 3: ")]
    [InlineData("text,category\na,b\nc,d,e\n", "a.csv line 3: ")]
    [InlineData("text,category\na,\"b\nc,d\n", "a.csv line 2: ")]
    [InlineData("text,category\n\"x\ny\",b\nc\"d,e\n", "a.csv line 4: ")]
    [InlineData("question,category\na,b\n", "a.csv line 1: no column \"text\"; the header has \"question\", \"category\"")]
    [InlineData("text,category\n", "a.csv has no rows")]
    public void A_broken_row_is_named_with_the_reason(string text, string expected) =>
        Assert.Contains(expected, Error("a.csv", text, new DataColumns(Prompt: "text", Completion: "category")), StringComparison.Ordinal);

    [Fact]
    public void A_missing_named_column_names_those_that_are_there() =>
        Assert.Contains("a.jsonl line 1: no \"q\"; the line has \"prompt\", \"completion\"",
            Error("a.jsonl", """{"prompt": "p", "completion": "c"}""", new DataColumns(Prompt: "q", Completion: "completion")),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.csv")]
    [InlineData("a.txt")]
    public void Bytes_that_are_no_utf8_are_named_by_line(string name)
    {
        var path = folder[name];
        File.WriteAllBytes(path, [.. Encoding.UTF8.GetBytes("{\"text\": \"a\"}\n{\"text\": \""), 0xff, .. "\"}\n"u8]);

        var error = Assert.Throws<RunFailedException>(() => SampleReader.Read(new DataSource(name, path)));

        Assert.Contains($"{name} line 2: not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_a_folder_and_an_unknown_ending_are_refused()
    {
        Assert.Contains("no such file",
            Assert.Throws<RunFailedException>(() => SampleReader.Read(new DataSource("s", folder["none.jsonl"]))).Message,
                StringComparison.Ordinal);
        Assert.Contains("is a folder",
            Assert.Throws<RunFailedException>(() => SampleReader.Read(new DataSource("s", folder.Path))).Message, StringComparison.Ordinal);
        Assert.Contains("ending \".xml\"", Error("a.xml", "<a/>"), StringComparison.Ordinal);
    }
}
