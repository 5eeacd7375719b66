using System.Text;
using System.Text.Json;

namespace Graft.Contract.Tests;

public class TrainingJobJsonTests
{
    private const string Minimal = """
        {
          "version": "graft.dev/job/v1alpha1",
          "name": "a",
          "model": {"source": "file:///m", "path": "/graft/files/0"},
          "objective": {"generation": {}},
          "data": {"train": [{"source": "file:///d.jsonl", "path": "/graft/files/1"}]},
          "method": {"lora": {"rank": 4, "targets": {"allLinear": {}}}},
          "training": {"duration": {"steps": 10}, "optimizer": {"adamw": {}}, "schedule": {"cosine": {"warmupFraction": 0.03}}},
          "output": {"path": "/graft/output/a", "uri": "pvc://c/a"}
        }
        """;

    private static TrainingJob Read(string json) => JsonSerializer.Deserialize(json, ContractJson.Compact.TrainingJob)!;

    [Fact]
    public void What_a_job_leaves_out_has_the_documented_default()
    {
        var job = Read(Minimal);

        Assert.Equal(4, job.Method.Lora!.Rank);
        Assert.Equal(16, job.Method.Lora.Alpha);
        Assert.Equal(1, job.Method.Lora.LoraPlusRatio);
        Assert.Empty(job.Method.Lora.RankPattern);
        Assert.Empty(job.Method.Lora.ModulesToSave);
        Assert.Null(job.Method.Lora.Layers);
        Assert.NotNull(job.Method.Lora.Targets.AllLinear);
        Assert.Equal(32, job.Training.BatchSize);
        Assert.Equal(1, job.Training.MaxGradNorm);
        Assert.True(job.Training.Shuffle);
        Assert.NotNull(job.Training.Optimizer.Adamw);
        Assert.Equal(0.999, job.Training.Optimizer.Adamw.Beta2);
        Assert.Equal(0.03, job.Training.Schedule.Cosine!.WarmupFraction);
        Assert.Equal(1024, job.Data.MaxLength);
        Assert.Equal(LearnFrom.Completion, job.Objective.Generation!.LearnFrom);
    }

    [Theory]
    [InlineData("\"rank\": 4", "\"rnak\": 4", "rnak")]
    [InlineData("\"name\": \"a\",", "", "name")]
    [InlineData("\"steps\": 10", "\"steps\": 10, \"steps\": 11", "steps")]
    [InlineData("\"path\": \"/graft/output/a\", ", "", "path")]
    [InlineData("\"duration\": {\"steps\": 10},", "", "duration")]
    public void An_unknown_missing_or_repeated_field_is_an_error_that_names_it(string from, string to, string named)
    {
        var error = Assert.Throws<JsonException>(() => Read(Minimal.Replace(from, to, StringComparison.Ordinal)));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_survives_the_round_trip()
    {
        var job = Read(Minimal);
        var again = Read(Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(job, ContractJson.Indented.TrainingJob)));

        Assert.Equal(Digests.Of(job), Digests.Of(again));
    }

    [Fact]
    public void The_digest_follows_the_content_and_not_the_place_of_the_output()
    {
        var job = Read(Minimal);

        Assert.Equal(Digests.Of(job), Digests.Of(job with { Output = new OutputTarget("/elsewhere", "pvc://x/y") }));
        Assert.NotEqual(Digests.Of(job), Digests.Of(job with { Uid = "1" }));
    }
}
