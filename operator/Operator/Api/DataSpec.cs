using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record DataSpec
{
    [Required, Items(1, 32), Description("Files to learn from.")]
    public IList<DataSourceSpec> Train { get; init; } = [];

    [Description("Rows that are held back from training. Exactly one member. Absent: none.")]
    public ValidationSpec? Validation { get; init; }

    [DefaultValue(1024), RangeMinimum(8), RangeMaximum(1048576)]
    [Description("Longest example in tokens; longer ones are cut at the end, and counted.")]
    public int MaxLength { get; init; } = 1024;
}

internal sealed record DataSourceSpec
{
    [Required, Length(1, 1024)]
    [Description(
        "One file: pvc://CLAIM/PATH, s3://BUCKET/KEY, hf://ORG/MODEL@REVISION/PATH, oci://HOST/REPOSITORY@sha256:DIGEST with one layer,"
        + " or on one machine only file:///PATH or file://./PATH.")]
    public string Source { get; init; } = "";

    [Description(SourceTexts.Credentials)]
    public SecretRef? CredentialsRef { get; init; }

    // No default in the schema: one inside a list item is a difference that client-side tools see for ever.
    [Description("Auto, also when absent, goes by the file's ending: .jsonl, .csv, .txt (one text a file).")]
    public DataFileFormat? Format { get; init; }

    [Description("Which columns hold what. Absent: prompt and completion, messages, or text,"
        + " whichever the file has; to classify, text and label.")]
    public ColumnsSpec? Columns { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<DataFileFormat>))]
internal enum DataFileFormat { Auto, JsonLines, Csv, Text }

[ValidationRule(
    "has(self.prompt) == has(self.completion) && (!has(self.label) || has(self.text))"
    + " && [has(self.prompt), has(self.messages), has(self.text)].exists_one(c, c)",
    message: "either prompt with completion, or messages, or text; text with label to classify")]
internal sealed record ColumnsSpec
{
    [Length(1, 128), Description("What is asked.")]
    public string? Prompt { get; init; }

    [Length(1, 128), Description("What is answered.")]
    public string? Completion { get; init; }

    [Length(1, 128), Description("A chat: a list of role and content.")]
    public string? Messages { get; init; }

    [Length(1, 128), Description("Plain text; with a label, what is classified.")]
    public string? Text { get; init; }

    [Length(1, 128), Description("The text's class, with objective.classification only.")]
    public string? Label { get; init; }
}

[ValidationRule("has(self.split) != has(self.sources)", message: "exactly one of: split, sources")]
internal sealed record ValidationSpec
{
    [Description("Hold back a share of the training rows, drawn with the run's seed.")]
    public SplitSpec? Split { get; init; }

    [Items(1, 32), Description("Files of their own.")]
    public IList<DataSourceSpec>? Sources { get; init; }
}

internal sealed record SplitSpec
{
    [Required, RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(1, exclusiveMaximum: true)]
    [Description("Share of the rows, between 0 and 1, both excluded.")]
    public double Fraction { get; init; }
}
