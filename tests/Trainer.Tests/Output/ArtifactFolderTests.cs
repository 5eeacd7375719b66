using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Output;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Output;

public sealed class ArtifactFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static ArtifactManifest Manifest(TrainingJob job) => new()
    {
        Name = job.Name,
        Kind = ArtifactKind.Adapter,
        JobDigest = Digests.Of(job),
        Job = job,
        BaseModel = new BaseModelReference("s", Digests.Of([1])),
        Dataset = new DatasetReference(["d"], Digests.Of([2]), 1, 0, 3),
        Facts = new AdapterFacts { Method = "lora", Dtype = "F32", TrainableParameters = 1, BaseDigest = Digests.Of([1]) },
        Resolved = new ResolvedOptions(1e-3, 1, Precision.F32, "cpu"),
        Metrics = new Dictionary<string, double> { ["loss"] = 0.5 },
        Files = [],
        Steps = 4,
        Created = DateTimeOffset.UnixEpoch,
        Producer = "test",
    };

    private (string Digest, long Bytes) Publish(TrainingJob job)
    {
        using var artifact = ArtifactFolder.Create(folder["a"]);
        File.WriteAllText(Path.Combine(artifact.Partial, "weights"), "abc");
        return artifact.Publish(Manifest(job));
    }

    [Fact]
    public void An_artifact_appears_whole_with_the_digest_of_every_file()
    {
        var (digest, bytes) = Publish(Make.Job());
        var json = File.ReadAllBytes(folder["a", "manifest.json"]);
        var manifest = JsonSerializer.Deserialize(json, ContractJson.Default.ArtifactManifest)!;

        Assert.Equal(Digests.Of(json), digest);
        Assert.Equal(new ArtifactFile("weights", 3, Digests.Of("abc"u8)), Assert.Single(manifest.Files));
        Assert.Equal(3 + json.Length, bytes);
        Assert.Equal(["manifest.json", "weights"], Directory.GetFiles(folder["a"]).Select(Path.GetFileName).Order());
        Assert.Equal(["a"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_complete_artifact_of_the_same_job_is_found_again()
    {
        var (digest, bytes) = Publish(Make.Job());

        var found = ArtifactReader.Find(folder["a"], "pvc://elsewhere/a", Digests.Of(Make.Job()))!.Value;

        Assert.Equal((digest, bytes, "pvc://elsewhere/a", 0.5),
            (found.Summary.Digest, found.Summary.Bytes, found.Summary.Uri, found.Summary.Metrics["loss"]));
    }

    [Fact]
    public void Nothing_and_an_empty_folder_are_free()
    {
        Directory.CreateDirectory(folder["empty"]);

        Assert.Null(ArtifactReader.Find(folder["none"], "u", "d"));
        Assert.Null(ArtifactReader.Find(folder["empty"], "u", "d"));
    }

    public static TheoryData<string, string> Spoilt => new()
    {
        { "changed", "is damaged: weights" },
        { "missing", "is damaged: weights" },
        { "other job", "holds the artifact of another job" },
        { "no manifest", "holds no manifest.json" },
        { "bad manifest", "manifest.json cannot be read" },
        { "file", "is a file" },
    };

    [Theory]
    [MemberData(nameof(Spoilt))]
    public void Anything_else_in_its_place_is_left_alone_and_named(string how, string expected)
    {
        Publish(Make.Job());
        var job = Make.Job();
        switch (how)
        {
            case "changed": File.WriteAllText(folder["a", "weights"], "abd"); break;
            case "missing": File.Delete(folder["a", "weights"]); break;
            case "other job": job = job with { Name = "other" }; break;
            case "no manifest": File.Delete(folder["a", "manifest.json"]); break;
            case "bad manifest": File.WriteAllText(folder["a", "manifest.json"], "{"); break;
            case "file": Directory.Delete(folder["a"], recursive: true); folder.Write("a", "x"); break;
        }

        var error = Assert.Throws<RunFailedException>(() => ArtifactReader.Find(folder["a"], "u", Digests.Of(job)));

        Assert.Equal(FailureClass.OutputError, error.Class);
        Assert.Contains(folder["a"], error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_cannot_name_files_outside_its_folder()
    {
        Publish(Make.Job());
        var secret = folder.Write("secret", "s");
        var path = folder["a", "manifest.json"];
        var manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), ContractJson.Default.ArtifactManifest)!;
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(
            manifest with { Files = [new ArtifactFile("../secret", 1, Digests.OfFile(secret))] }, ContractJson.Default.ArtifactManifest));

        Assert.Contains("is damaged: ../secret", Assert.Throws<RunFailedException>(
            () => ArtifactReader.Find(folder["a"], "u", Digests.Of(Make.Job()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_run_left_goes_and_what_another_run_writes_stays()
    {
        Directory.CreateDirectory(folder[".a.partial-dead"]);
        folder.Write(".a.partial-dead/weights", "half");
        using var other = ArtifactFolder.Create(folder["a"]);

        using (var mine = ArtifactFolder.Create(folder["a"]))
        {
            Assert.False(Directory.Exists(folder[".a.partial-dead"]));
            Assert.True(Directory.Exists(other.Partial));
            Assert.NotEqual(other.Partial, mine.Partial);
        }

        Assert.Equal([other.Partial], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_parent_that_cannot_be_made_is_named()
    {
        var file = folder.Write("file", "x");

        var error = Assert.Throws<RunFailedException>(() => ArtifactFolder.Create(Path.Combine(file, "a")));

        Assert.Equal(FailureClass.OutputError, error.Class);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }
}
