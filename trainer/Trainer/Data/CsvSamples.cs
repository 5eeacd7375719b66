using CsvHelper;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>RFC 4180 with a header line.</summary>
internal static class CsvSamples
{
    private static readonly CsvReaderOptions Strict = new()
    {
        Separator = ',',
        TrackLineNumbers = true,
        MaxRecordSize = 16 << 20,
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
        // Rows are quoted by line, not by content, which may be private.
        IncludeValuesInExceptions = false,
    };

    public static List<Sample> Read(StreamReader reader, DataSource source, bool labeled)
    {
        using var csv = CsvReader.Create(reader, Strict, leaveOpen: true);
        var samples = new List<Sample>();
        try
        {
            csv.ReadHeader();
            var columns = Columns(csv.Headers, source, labeled);
            while (csv.Read())
            {
                var origin = new Origin(source.Source, (int)csv.LineNumber);
                samples.Add(columns.Label is { } label
                    ? new LabeledSample(origin, csv.GetString(columns.Text!), csv.GetString(label).Trim())
                    : columns.Text is { } text
                    ? new TextSample(origin, csv.GetString(text))
                    : new PromptSample(origin, csv.GetString(columns.Prompt!), csv.GetString(columns.Completion!)));
            }
            return samples;
        }
        catch (CsvFormatException e)
        {
            throw Broken(source, e.LineNumber,
                $"{e.Message.TrimEnd('.')}; the row must have the header's fields, and quotes around a field that holds quotes");
        }
    }

    private static DataColumns Columns(IReadOnlyList<string> header, DataSource source, bool labeled)
    {
        var columns = (source.Columns is { } named && labeled ? Data.Columns.Labeled(named) : source.Columns)
            ?? Data.Columns.Find(header.Contains, labeled) ?? throw Broken(source, 1, Data.Columns.Missing(header, labeled));
        if (columns.Messages is not null) throw Broken(source, 1, "messages are lists, which CSV has not; use .jsonl for them");
        foreach (var column in new[] { columns.Prompt, columns.Completion, columns.Text, columns.Label }.OfType<string>())
        {
            if (!header.Contains(column))
                throw Broken(source, 1, $"no column \"{column}\"; the header has {string.Join(", ", header.Select(h => $"\"{h}\""))}");
        }
        return columns;
    }

    private static RunFailedException Broken(DataSource source, long line, string why) =>
        RunFailedException.Dataset($"{source.Source} line {line}: {why}");
}
