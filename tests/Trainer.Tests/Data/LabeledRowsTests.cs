using Graft.Contract;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Data;

/// <summary>Rows of texts and their labels, and what the labels of a classifier are by them.</summary>
public sealed class LabeledRowsTests : IDisposable
{
    private const string Good = "text,label\nhello,greeting\nbye, farewell \n";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private Dataset Read(
        string text, string[]? labels = null, string? validation = null, string name = "rows.csv", DataColumns? columns = null)
    {
        var sources = validation is null
            ? null : new ValidationData { Sources = [new DataSource("more.csv", folder.Write("more.csv", validation))] };
        return Dataset.Read(new DataInput([new DataSource(name, folder.Write(name, text), Columns: columns)], sources),
            new Objective { Classification = new ClassificationObjective(labels) }, seed: 1);
    }

    private string Error(string text, string[]? labels = null, string? validation = null, string name = "rows.csv")
    {
        var error = Assert.Throws<RunFailedException>(() => Read(text, labels, validation, name));
        Assert.Equal(FailureClass.DataError, error.Class);
        return error.Message;
    }

    [Fact]
    public void Csv_and_json_lines_hold_texts_with_labels_that_are_sorted()
    {
        var csv = Read(Good);
        var json = Read("{\"body\": \"hello\", \"class\": 1}\n{\"body\": \"bye\", \"class\": true}\n", name: "rows.jsonl",
            columns: new DataColumns(Text: "body", Label: "class"));

        Assert.Equal([("hello", "greeting"), ("bye", "farewell")], csv.Train.Cast<LabeledSample>().Select(r => (r.Text, r.Label)));
        Assert.Equal(["farewell", "greeting"], csv.Labels);
        Assert.Equal(["1", "true"], json.Labels);
    }

    [Fact]
    public void Labels_that_the_job_names_keep_their_order_and_need_no_row()
    {
        Assert.Equal(["greeting", "thanks", "farewell"], Read(Good, ["greeting", "thanks", "farewell"]).Labels);
        Assert.Equal(["a", "b"], Read("text,label\nx,a\n", ["a", "b"]).Labels);
    }

    [Fact]
    public void A_label_that_only_rows_held_out_have_is_known()
    {
        var read = Dataset.Read(
            new DataInput([new DataSource("r.csv", folder.Write("r.csv", "text,label\n1,a\n2,b\n3,c\n4,d\n"))],
                new ValidationData { Split = new ValidationSplit(0.5) }),
            new Objective { Classification = new ClassificationObjective() }, seed: 1);
        Assert.Equal(["a", "b", "c", "d"], read.Labels);
        Assert.Equal((2, 2), (read.Train.Count, read.Validation.Count));
    }

    [Fact]
    public void A_label_that_is_none_of_those_is_named_with_its_line()
    {
        Assert.Equal("rows.csv line 3: the label \"farewell\" is none of objective.classification.labels: \"greeting\", \"thanks\"",
            Error(Good, ["greeting", "thanks"]));
        Assert.Equal("more.csv line 2: the label \"other\" is that of no training row: \"farewell\", \"greeting\"",
            Error(Good, validation: "text,label\nx,other\n"));
    }

    [Theory]
    [InlineData("text,label\na,x\nb,x\n", "rows.csv", "every training row has the label \"x\"")]
    [InlineData("text,label\na,x\nb, \n", "rows.csv", "rows.csv line 3: the label is empty")]
    [InlineData("text,team\na,x\n", "rows.csv", "no text and label among its columns (text, team)")]
    [InlineData("{\"text\": \"a\"}", "rows.jsonl", "rows.jsonl line 1: no text and label among its columns (text)")]
    [InlineData("{\"text\": \"a\", \"label\": [1]}", "rows.jsonl", "\"label\" must be a text")]
    [InlineData("just text", "rows.txt", "a text file has no labels; use .jsonl or .csv")]
    public void What_is_no_row_with_a_label_is_refused(string text, string name, string message) =>
        Assert.Contains(message, Error(text, name: name), StringComparison.Ordinal);
}
