using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Jobs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Samples;

/// <summary>The quickstart's files are what its pages say.</summary>
[Collection(TorchCollection.Name)]
public class QuickstartTests
{
    private static List<string> Prompts(params string[] file) => [.. File.ReadLines(Repository.Sample(["quickstart", .. file]))
        .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("prompt").GetString()!)];

    [Fact]
    public void No_message_is_in_two_files_or_twice_in_one()
    {
        List<string> all = [.. Prompts("base", "corpus.jsonl"), .. Prompts("data", "train.jsonl"), .. Prompts("data", "validation.jsonl")];
        all.AddRange(File.ReadLines(Repository.Sample("quickstart", "prompts.txt")));

        Assert.Equal(all.Count, all.Distinct().Count());
    }

    [Fact]
    public void The_corpus_never_answers_in_the_format_that_the_adapter_learns() =>
        Assert.DoesNotContain("\"completion\": \"{", File.ReadAllText(Repository.Sample("quickstart", "base", "corpus.jsonl")),
            StringComparison.Ordinal);

    [Fact]
    public void The_base_model_is_an_artifact_of_its_own_job_and_corpus()
    {
        var model = Repository.Sample("quickstart", "model");
        var manifest =
            JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(model, "manifest.json")), ContractJson.Default.ArtifactManifest)!;
        var job = JobReader.Read(Repository.Sample("quickstart", "base", "job.json"));

        Assert.Equal(Digests.Of(job), manifest.JobDigest);
        Assert.Equal(Digests.OfParts([Digests.OfFile(Repository.Sample("quickstart", "base", "corpus.jsonl"))]), manifest.Dataset.Digest);
        Assert.All(manifest.Files, f => Assert.Equal(f.Digest, Digests.OfFile(Path.Combine(model, f.Name))));
        Assert.True(manifest.Files.Sum(f => f.Bytes) < 3_000_000);
    }

    [Fact]
    public void The_tokenizer_comes_out_byte_for_byte()
    {
        using var folder = new TempFolder();
        using var run = TrainerProcess.Start(folder,
        [
            "tokenizer", "--data", Repository.Sample("quickstart", "base", "corpus.jsonl"), "--vocabulary", "1024",
            "--special", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "--output", folder["tokenizer.json"],
        ]);

        Assert.Equal(0, run.Wait());
        Assert.Equal(File.ReadAllBytes(Repository.Sample("quickstart", "model", "tokenizer.json")),
            File.ReadAllBytes(folder["tokenizer.json"]));
    }
}
