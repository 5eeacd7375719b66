using Graft.Contract;

namespace Graft.Trainer.Jobs;

internal static class DataChecks
{
    public static void Check(TrainingJob job, JobErrors errors)
    {
        var classifies = job.Objective.Classification is not null;
        Sources(job.Data.Train, "data.train", classifies, errors);
        errors.Between<int>(job.Data.MaxLength, 2, 1 << 20, "data.maxLength");
        if (job.Data.Validation is not { } validation) return;
        errors.Union("data.validation", ("split", validation.Split), ("sources", validation.Sources));
        if (validation.Split is { } split)
            errors.Check(split.Fraction is > 0 and < 1, "data.validation.split.fraction",
                $"is {split.Fraction}; must lie between 0 and 1, both excluded");
        if (validation.Sources is { } sources) Sources(sources, "data.validation.sources", classifies, errors);
    }

    private static void Sources(IReadOnlyList<DataSource> sources, string field, bool classifies, JobErrors errors)
    {
        errors.Check(sources.Count is >= 1 and <= 64, field, $"has {sources.Count} entries; must have 1 to 64");
        for (var i = 0; i < sources.Count; i++)
        {
            errors.NotBlank(sources[i].Source, $"{field}[{i}].source");
            Place(sources[i].Source, sources[i].Path, $"{field}[{i}]", errors);
            if (sources[i].Columns is { } columns) Columns(columns, $"{field}[{i}].columns", classifies, errors);
            errors.Check(!classifies || sources[i].Format != DataFormat.Text, $"{field}[{i}].format",
                "is Text, which has no labels; objective.classification learns from JsonLines or Csv");
        }
    }

    /// <summary>Either something lies at a path, or the source says where it is fetched from.</summary>
    public static void Place(string source, string path, string field, JobErrors errors)
    {
        if (path.Length > 0)
        {
            errors.NotBlank(path, field + ".path");
        }
        else if (SourceUri.Parse(source).Problem is { } problem)
        {
            errors.Add(field + ".path", SourceUri.IsRemote(source)
                ? $"is empty, and {field}.source cannot be fetched: {problem}"
                : $"must not be empty: {field}.source is nothing that is fetched");
        }
    }

    private static void Columns(DataColumns columns, string field, bool classifies, JobErrors errors)
    {
        foreach (var (name, value) in new[]
                 {
                     ("prompt", columns.Prompt), ("completion", columns.Completion), ("messages", columns.Messages),
                     ("text", columns.Text), ("label", columns.Label),
                 })
        {
            if (value is not null) errors.NotBlank(value, $"{field}.{name}");
        }
        if (classifies)
        {
            errors.Check(columns is { Text: not null, Label: not null, Prompt: null, Completion: null, Messages: null }, field,
                "name text and label, and no others: objective.classification learns from them");
            return;
        }
        errors.Check(columns.Label is null, field + ".label", "needs objective.classification");
        errors.Check(columns.Prompt is null == columns.Completion is null, field,
            "prompt and completion belong together: name both columns or none");
        var kinds = new[] { columns.Prompt ?? columns.Completion, columns.Messages, columns.Text }.Count(c => c is not null);
        errors.Check(kinds == 1, field, "name either prompt and completion, or messages, or text");
    }
}
