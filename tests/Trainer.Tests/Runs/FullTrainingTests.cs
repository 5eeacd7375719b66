using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary><c>method.full</c>, from a model's weights and from random ones: out comes a whole model.</summary>
[Collection(TorchCollection.Name)]
public sealed class FullTrainingTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private TrainingJob Job(string output = "artifact")
    {
        var job = TinyJob.In(folder, output);
        return job with { Method = new Method { Full = new FullMethod() }, Training = job.Training with { LearningRate = 1e-3 } };
    }

    [Fact]
    public void Full_training_writes_a_model_that_every_verb_opens()
    {
        var (code, said, result) = TrainerProcess.Train(folder, Job());

        Assert.True(code == 0, said);
        Assert.Equal((ArtifactKind.Model, "full"), (result.Artifact!.Kind, result.Artifact.Facts.Method));
        Assert.True(result.Artifact.Metrics["loss"] < result.Artifact.Metrics["baseLoss"]);
        Assert.Superset(new HashSet<string?> { "config.json", "manifest.json", "model.safetensors", "tokenizer.json" },
            Directory.GetFiles(folder["artifact"]).Select(Path.GetFileName).ToHashSet());
        Assert.False(File.Exists(folder["artifact", ArtifactLayout.AdapterConfig]));

        var (evaluated, output) = TrainerProcess.Run(
            folder, "evaluate", "--model", folder["artifact"], "--data", folder["validation.jsonl"], "--precision", "F32");
        Assert.True(evaluated == 0, output);
        // The weights are stored in the type of the base, which may be coarser than the one they were trained in.
        Assert.Equal(result.Artifact.Metrics["loss"], JsonDocument.Parse(output).RootElement.GetProperty("loss").GetDouble(), 0.05);
    }

    [Fact]
    public void Random_weights_need_no_weights_and_follow_the_seed()
    {
        var model = TinyJob.CopyOfModel(folder);
        File.Delete(Path.Combine(model, "model.safetensors"));
        TrainingJob Job(string output, int seed)
        {
            var job = this.Job(output) with { Evaluation = null };
            return job with
            {
                Model = new ModelInput("file://./model", model, Precision.F32, RandomWeights: true),
                Training = job.Training with { Seed = seed },
            };
        }
        byte[] Weights(string output, int seed)
        {
            var (code, said, result) = TrainerProcess.Train(folder, Job(output, seed));
            Assert.True(code == 0, said);
            Assert.Equal(ArtifactKind.Model, result.Artifact!.Kind);
            return File.ReadAllBytes(folder[output, "model.safetensors"]);
        }

        var first = Weights("a", seed: 1);
        Assert.Equal(first, Weights("b", seed: 1));
        Assert.NotEqual(first, Weights("c", seed: 2));
    }

    [Fact]
    public void Random_weights_under_an_adapter_are_a_wrong_job()
    {
        var job = TinyJob.In(folder);

        var (code, _, result) = TrainerProcess.Train(folder, job with { Model = job.Model with { RandomWeights = true } });

        Assert.Equal((2, FailureClass.InvalidJob), (code, result.Failure!.Class));
        Assert.Contains("model.randomWeights: needs method.full", result.Failure.Message, StringComparison.Ordinal);
    }
}
