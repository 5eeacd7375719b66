using System.Text;
using System.Text.RegularExpressions;
using Graft.Contract;
using Graft.Trainer.Jobs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Cli;

/// <summary>The program's help, as somebody reads it who has never seen it.</summary>
[Collection(TorchCollection.Name)]
public sealed partial class HelpTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("train")]
    [InlineData("evaluate")]
    [InlineData("generate")]
    [InlineData("tokenizer")]
    [InlineData("inspect")]
    [InlineData("merge")]
    [InlineData("combine")]
    [InlineData("export")]
    public void Every_help_explains_its_options_and_ends_with_examples(string verb)
    {
        var help = Help(verb);

        var options = help[help.IndexOf("Options:", StringComparison.Ordinal)..].Split('\n').Skip(1)
            .TakeWhile(l => l.StartsWith("  ", StringComparison.Ordinal));
        Assert.All(options, line => Assert.Matches(@"^  (-\S.*?  +|  +)\S", line));
        var examples = help.IndexOf("Examples:", StringComparison.Ordinal);
        Assert.True(examples > help.IndexOf("Options:", StringComparison.Ordinal));
        Assert.Contains($"graft-trainer {(verb.Length > 0 ? verb : "train")} ", help[examples..], StringComparison.Ordinal);
        // Only options that exist are shown.
        string[] ofVerbs = verb.Length == 0 ? ["--job", "--model", "--adapter", "--prompt", "--data"] : [];
        var known = Option().Matches(help[..examples]).Select(m => m.Value).Concat(ofVerbs);
        Assert.Subset(known.ToHashSet(), Option().Matches(help[examples..]).Select(m => m.Value).ToHashSet());
        Assert.All(help.Split('\n'), line => Assert.InRange(line.Length, 0, 160));
    }

    [Fact]
    public void The_helps_own_job_is_one_that_trains()
    {
        var help = Help("train");
        var start = help.IndexOf("{\"version\"", StringComparison.Ordinal);
        var text = help[start..(help.IndexOf("}}\n", help.IndexOf("\"output\"", StringComparison.Ordinal), StringComparison.Ordinal) + 2)];
        var job = JobReader.Parse(Encoding.UTF8.GetBytes(text), "help");
        var row = help.Split('\n').Single(l => l.TrimStart().StartsWith("{\"prompt\"", StringComparison.Ordinal)).Trim();
        var rows = folder.Write("rows.jsonl", string.Concat(Enumerable.Repeat(row + "\n", 4)));

        var (code, output, result) = TrainerProcess.Train(folder, job with
        {
            Model = job.Model with { Path = Repository.Sample("quickstart", "model") },
            Data = job.Data with { Train = [job.Data.Train[0] with { Path = rows }] },
            Output = job.Output with { Path = folder["first"] },
        });

        Assert.True(code == 0, output);
        Assert.Equal(ArtifactKind.Adapter, result.Artifact!.Kind);
    }

    [Fact]
    public void The_programs_help_names_the_variable_for_another_libtorch_and_the_exit_codes()
    {
        var help = Help("");

        Assert.Contains("GRAFT_LIBTORCH", help, StringComparison.Ordinal);
        Assert.Contains("75 told to stop", help, StringComparison.Ordinal);
    }

    private string Help(string verb)
    {
        var (code, output) = TrainerProcess.Run(folder, verb.Length > 0 ? [verb, "--help"] : ["--help"]);
        Assert.True(code == 0, output);
        return output;
    }

    [GeneratedRegex("--[a-z-]+")]
    private static partial Regex Option();
}
