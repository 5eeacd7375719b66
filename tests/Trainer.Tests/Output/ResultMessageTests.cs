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
