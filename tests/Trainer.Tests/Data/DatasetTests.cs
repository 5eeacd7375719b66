using Graft.Contract;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Data;

/// <summary><c>data.validation.split</c>.</summary>
public sealed class DatasetTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private Dataset Read(int rows, double fraction, long seed = 1)
    {
        var path = folder.Write("rows.jsonl", string.Concat(Enumerable.Range(0, rows).Select(i => $"{{\"text\": \"{i}\"}}\n")));
        return Dataset.Read(new DataInput([new DataSource("rows.jsonl", path)],
            new ValidationData { Split = new ValidationSplit(fraction) }), new Objective { Generation = new GenerationObjective() }, seed);
    }

    private static List<int> Numbers(IReadOnlyList<Sample> rows) => [.. rows.Cast<TextSample>().Select(r => int.Parse(r.Text))];

    [Theory]
    [InlineData(100, 0.1, 10)]
    [InlineData(100, 0.25, 25)]
    [InlineData(7, 0.5, 4)]
    [InlineData(2, 0.001, 1)]
    [InlineData(2, 0.999, 1)]
    [InlineData(1000, 0.0001, 1)]
    [InlineData(1000, 0.9999, 999)]
    public void Every_row_is_on_one_side_in_the_order_of_the_file_and_none_is_empty(int rows, double fraction, int held)
    {
        var data = Read(rows, fraction);
        var (train, validation) = (Numbers(data.Train), Numbers(data.Validation));

        Assert.Equal(held, validation.Count);
        Assert.Equal(Enumerable.Range(0, rows), train.Concat(validation).Order());
        Assert.Equal(train.Order(), train);
        Assert.Equal(validation.Order(), validation);
    }

    [Fact]
    public void The_seed_alone_decides_which_rows_are_held_out()
    {
        var (one, again, other) = (Read(100, 0.2, seed: 1), Read(100, 0.2, seed: 1), Read(100, 0.2, seed: 2));

        Assert.Equal(Numbers(one.Validation), Numbers(again.Validation));
        Assert.NotEqual(Numbers(one.Validation), Numbers(other.Validation));
        Assert.NotEqual(Enumerable.Range(0, 20), Numbers(one.Validation)); // spread over the file, which may be sorted
        Assert.Equal(one.Digest, other.Digest);
    }

    [Fact]
    public void One_row_cannot_be_divided()
    {
        var error = Assert.Throws<RunFailedException>(() => Read(1, 0.5));

        Assert.Equal(FailureClass.DataError, error.Class);
        Assert.Contains("data.validation.split needs at least two rows to divide; the data has 1", error.Message, StringComparison.Ordinal);
    }
}
