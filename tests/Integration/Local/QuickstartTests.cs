using System.Globalization;
using System.Text.RegularExpressions;
using Graft.Integration.Harness;

namespace Graft.Integration.Local;

/// <summary>What the README's first command shows.</summary>
public sealed class QuickstartTests : LocalTests
{
    private static readonly string[] Prompts = File.ReadAllLines(Path.Combine(Sample.Folder, "prompts.txt"));

    [Fact]
    public async Task The_quickstart_teaches_the_base_model_a_format_that_it_never_answers_by_itself()
    {
        await using var run = Start(Sample.Folder);
        await EndAsync(run);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.True(Metric(run.Output, "baseExactMatch") < 0.05, run.Output);
        Assert.True(Metric(run.Output, "exactMatch") > 0.90, run.Output);
        Assert.Matches(@"triage:  step \d+/150  loss \d\.\d{4}  \d+ tokens/s  \d+s left", run.Output);
        AssertArtifactIsShown(run.Output);
        AssertAnswersAreSideBySide(run.Output);
    }

    private static double Metric(string output, string name) => double.Parse(
        Regex.Match(output, $@"\b{name}\b\D*?([0-9.]+)").Groups[1].Value, CultureInfo.InvariantCulture);

    private static void AssertArtifactIsShown(string output)
    {
        Assert.Matches(@"(?m)^adapter\s+triage: pvc://adapters/triage-[0-9a-f]{8}\s*$", output);
        Assert.Matches(@"(?m)^size\s+\d+\.\d KiB, lora, rank 8\s*$", output);
        var folder = Regex.Match(output, @"(?m)^folder\s+(/\S+)").Groups[1].Value;
        Assert.True(File.Exists(Path.Combine(folder, "adapter_model.safetensors")), $"there is no adapter in '{folder}'");
    }

    private static void AssertAnswersAreSideBySide(string output)
    {
        var rows = Rows(output);
        Assert.Equal(["prompt", "base(support)", "triage"], rows[0]);
        Assert.Equal(Prompts.Select(WithoutSpaces), rows.Skip(1).Select(r => r[0]));
        foreach (var row in rows.Skip(1))
        {
            Assert.DoesNotContain("\"team\"", row[1], StringComparison.Ordinal);
            Assert.True(row[1].Length > 0, "the base says nothing");
            Assert.Matches("""^\{"team":"[a-z]+","urgency":"[a-z]+"\}$""", row[2]);
        }
    }

    /// <summary>The cells of the printed table, each without its spaces, because long texts are wrapped.</summary>
    private static List<string[]> Rows(string output)
    {
        var rows = new List<string[]>();
        var open = false;
        foreach (var line in output.Split('\n').Select(l => l.Trim()))
        {
            var cells = line.StartsWith('│') ? line.Trim('│').Split('│').Select(WithoutSpaces).ToArray() : [];
            var isText = cells.Any(c => c.Length > 0);
            if (isText && open) rows[^1] = [.. rows[^1].Zip(cells, (above, below) => above + below)];
            else if (isText) rows.Add(cells);
            open = isText;
        }
        return rows;
    }

    private static string WithoutSpaces(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
