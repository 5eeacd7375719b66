using System.Text;
using System.Text.Json;
using Graft.Contract;

namespace Graft.Server.Tests.Fakes;

/// <summary>A folder in place of <c>/artifacts</c>, with adapters in it; gone when disposed.</summary>
internal sealed class AdapterFolders : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("graft-artifacts-").FullName;

    /// <summary>An adapter with its manifest at <c>/artifacts/CLAIM/NAME</c>; returns that path.</summary>
    public string Write(string claim, string name, string baseDigest, Func<ArtifactManifest, ArtifactManifest>? change = null)
    {
        var folder = Path.Combine(Root, claim, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, ArtifactLayout.AdapterConfig), """{"peft_type": "LORA"}""");
        File.WriteAllText(Path.Combine(folder, ArtifactLayout.AdapterWeights), "weights");
        WriteManifest(folder, baseDigest, change);
        return $"/artifacts/{claim}/{name}";
    }

    /// <summary>Describes the adapter's files as they are.</summary>
    public static void WriteManifest(string folder, string baseDigest, Func<ArtifactManifest, ArtifactManifest>? change = null)
    {
        var manifest = new ArtifactManifest
        {
            Name = Path.GetFileName(folder),
            Kind = ArtifactKind.Adapter,
            JobDigest = Digests.Of("job"u8),
            Job = Job(),
            BaseModel = new BaseModelReference("file://./model", baseDigest),
            Dataset = new DatasetReference(["file://./data.jsonl"], Digests.Of("data"u8), 1, 0, 1),
            Facts = new AdapterFacts { Method = "lora", Dtype = "F32", TrainableParameters = 1, BaseDigest = baseDigest },
            Resolved = new ResolvedOptions(0.001, 1, Precision.F32, "cpu"),
            Metrics = new Dictionary<string, double>(),
            Files = [Describe(folder, ArtifactLayout.AdapterConfig), Describe(folder, ArtifactLayout.AdapterWeights)],
            Steps = 1,
            Created = DateTimeOffset.UnixEpoch,
            Producer = "test",
        };
        var json = JsonSerializer.Serialize(change?.Invoke(manifest) ?? manifest, ContractJson.Indented.ArtifactManifest);
        File.WriteAllText(Path.Combine(folder, ArtifactLayout.Manifest), json, new UTF8Encoding(false));
    }

    public string PathOf(string contractPath, string file = "") => Path.Combine(Root, contractPath["/artifacts/".Length..], file);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static ArtifactFile Describe(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return new ArtifactFile(name, new FileInfo(path).Length, Digests.OfFile(path));
    }

    private static TrainingJob Job() => new()
    {
        Version = TrainingJob.CurrentVersion,
        Name = "test",
        Model = new ModelInput("file://./model", "/graft/files/0"),
        Objective = new Objective { Generation = new GenerationObjective() },
        Data = new DataInput([new DataSource("file://./data.jsonl", "/graft/files/1")]),
        Method = new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }) },
        Training = new TrainingPlan(
            new TrainingDuration { Steps = 1 }, new Optimizer { Adamw = new AdamW() }, new Schedule { Constant = new Warmup() }),
        Output = new OutputTarget("/graft/output/test", "pvc://adapters/test"),
    };
}
