using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Output;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Output;

public class ResultMessageTests
{
    private static TrainingResult Failed(string message) => new() { Failure = new Failure(FailureClass.DataError, message, 3) };

    private static TrainingResult Succeeded(int metrics, int targets, string uri = "pvc://c/a") => new()
    {
        Artifact = new ArtifactSummary
        {
            Uri = uri,
            Digest = Digests.Of([]),
            Bytes = 1,
            Kind = ArtifactKind.Adapter,
            Facts = new AdapterFacts
            {
                Method = "lora", Dtype = "F32", TrainableParameters = 1, BaseDigest = Digests.Of([]),
                Targets = [.. Enumerable.Range(0, targets).Select(i => $"model.layers.{i}.self_attn.q_proj")],
            },
            Metrics = Enumerable.Range(0, metrics).ToDictionary(i => $"metric{i:000}", i => i / 3.0),
        },
    };

    private static TrainingResult Read(byte[] json) => JsonSerializer.Deserialize(json, ContractJson.Default.TrainingResult)!;

    [Theory]
    [InlineData("x")]
    [InlineData("é")]
    [InlineData("😀")]
    [InlineData("\"\\\n\u0001")]
    public void A_message_of_any_length_fits_and_can_be_read(string letter)
    {
        var json = ResultMessage.Fit(Failed(string.Concat(Enumerable.Repeat(letter, 5000))));
        var read = Read(json);

        Assert.InRange(json.Length, TrainingResult.MaxBytes - 200, TrainingResult.MaxBytes);
        Assert.Equal((FailureClass.DataError, 3), (read.Failure!.Class, read.Failure.Step));
        Assert.EndsWith("…", read.Failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\ufffd', read.Failure.Message);
    }

    [Fact]
    public void A_short_result_is_left_as_it_is()
    {
        var result = Succeeded(metrics: 3, targets: 7);

        Assert.Equal(JsonSerializer.Serialize(result, ContractJson.Compact.TrainingResult),
            System.Text.Encoding.UTF8.GetString(ResultMessage.Fit(result)));
    }

    [Fact]
    public void The_first_twenty_metrics_stay()
    {
        var read = Read(ResultMessage.Fit(Succeeded(metrics: 50, targets: 0)));

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"metric{i:000}"), read.Artifact!.Metrics.Keys.Order());
    }

    [Fact]
    public void Targets_and_metrics_make_room_before_the_uri_does()
    {
        var uri = "pvc://claim/" + new string('a', 1200);
        var json = ResultMessage.Fit(Succeeded(metrics: 20, targets: 500, uri));

        Assert.True(json.Length <= TrainingResult.MaxBytes);
        Assert.Equal(uri, Read(json).Artifact!.Uri);
        Assert.Equal(20, Read(json).Artifact!.Metrics.Count);
    }

    public static TheoryData<string, int, int, int, int> Longest => new()
    {
        // letter, its repetitions in the URI, in each of 20 metrics' names, in each target's name, targets
        { "a", 0, 253, 0, 0 },
        { "é", 100_000, 0, 0, 0 },
        { "😀", 4000, 300, 0, 0 },
        { "\u0001", 100_000, 200, 10, 100 },
        { "漢", 1000, 40, 100, 100_000 },
        { "\"", 253, 1, 1, 3000 },
    };

    [Theory]
    [MemberData(nameof(Longest))]
    public void The_longest_results_fit_and_are_cut_between_characters(string letter, int uri, int metric, int target, int targets)
    {
        string Long(int count) => string.Concat(Enumerable.Repeat(letter, count));
        var artifact = Succeeded(metrics: 0, targets: 0, "pvc://claim/" + Long(uri)).Artifact!;
        var result = new TrainingResult
        {
            Artifact = artifact with
            {
                Metrics = Enumerable.Range(0, 40).ToDictionary(i => $"m{i:00}{Long(metric)}", _ => -Math.PI * 1e-300),
                Facts = artifact.Facts with
                {
                    Rank = int.MaxValue, MaxRank = int.MaxValue, Alpha = Math.E * 1e300, TrainableParameters = long.MaxValue,
                    RsLora = true, Dora = true, HasPatterns = true, Mergeable = true, VirtualTokens = int.MaxValue,
                    Bias = "lora_only", Task = "CAUSAL_LM", ModelType = new string('m', 32), Bytes = long.MaxValue,
                    ModulesToSave = [.. Enumerable.Range(0, targets).Select(i => Long(target) + i)],
                    Targets = [.. Enumerable.Range(0, targets).Select(i => Long(target) + i)],
                },
            },
            Resolved = new ResolvedOptions(Math.PI * 1e-300, int.MaxValue, Precision.BF16, "cuda:0"),
            Steps = int.MaxValue, Loss = Math.E * 1e-300, PeakMemoryBytes = long.MaxValue, TrainingSeconds = Math.PI * 1e300,
            LastStepTime = DateTimeOffset.MaxValue,
        };

        var json = ResultMessage.Fit(result);
        var read = Read(json);

        Assert.InRange(json.Length, 1, TrainingResult.MaxBytes);
        Assert.DoesNotContain("\ufffd", new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(json));
        Assert.Equal(result with { Artifact = null }, read with { Artifact = null });
        Assert.InRange(read.Artifact!.Metrics.Count, 0, TrainingResult.MaxMetrics);
        Assert.All(read.Artifact.Metrics, m => Assert.Equal(result.Artifact.Metrics[m.Key], m.Value));
        Assert.Equal(result.Artifact.Facts.Targets.Take(read.Artifact.Facts.Targets.Count), read.Artifact.Facts.Targets);
        // Whether there are any decides what an engine does.
        Assert.Equal(targets > 0, read.Artifact.Facts.ModulesToSave.Count > 0);
        Assert.StartsWith(read.Artifact.Uri.TrimEnd('…'), result.Artifact.Uri, StringComparison.Ordinal);
        // Nothing is left out that would have fitted: metrics before the URI, targets before metrics.
        if (read.Artifact.Uri != result.Artifact.Uri) Assert.Empty(read.Artifact.Metrics);
        if (read.Artifact.Metrics.Count < TrainingResult.MaxMetrics) Assert.Empty(read.Artifact.Facts.Targets);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_cut_falls_between_characters_wherever_it_falls(int shift)
    {
        var text = new string('x', shift) + string.Concat(Enumerable.Repeat("é😀漢", 500_000));

        var json = ResultMessage.Fit(Failed(text));

        var read = Read(json).Failure!.Message;
        // JSON writes the widest of these characters as two escapes of six bytes.
        Assert.InRange(json.Length, TrainingResult.MaxBytes - 12, TrainingResult.MaxBytes);
        Assert.StartsWith(read[..^1], text, StringComparison.Ordinal);
        Assert.False(char.IsHighSurrogate(read[^2]));
    }

    [Fact]
    public void An_existing_file_is_overwritten_whole_and_an_absent_one_is_made_only_when_asked_for()
    {
        using var folder = new TempFolder();
        var existing = folder.Write("log", new string('z', 9000));

        Assert.True(ResultMessage.Write(Failed("short"), existing, required: false, TextWriter.Null));
        Assert.True(ResultMessage.Write(Failed("short"), folder["none"], required: false, TextWriter.Null));
        Assert.True(ResultMessage.Write(Failed("short"), folder["made"], required: true, TextWriter.Null));

        Assert.Equal("short", Read(File.ReadAllBytes(existing)).Failure!.Message);
        Assert.False(File.Exists(folder["none"]));
        Assert.Equal("short", Read(File.ReadAllBytes(folder["made"])).Failure!.Message);
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_said_on_standard_error()
    {
        var errors = new StringWriter();

        Assert.False(ResultMessage.Write(Failed("x"), "/proc/none/log", required: true, errors));
        Assert.Contains("/proc/none/log", errors.ToString(), StringComparison.Ordinal);
    }
}
