using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary>A classifier from its rows to its answers, as processes: which team a message is for, on a base that writes text.</summary>
[Collection(TorchCollection.Name)]
public sealed class ClassificationTests : IDisposable
{
    private static readonly string Model = Repository.Sample("quickstart", "model");
    private static readonly string[] Teams = ["account", "billing", "delivery", "product", "returns"];
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private TrainingJob Job(Method method, double learningRate)
    {
        var job = TinyJob.In(folder);
        // So few steps teach nothing but the rows themselves, which is what is measured.
        DataSource Source(string name, int rows) =>
            new(name, folder.Write(name, Lines("train.jsonl", rows)), Columns: new DataColumns(Text: "body", Label: "team"));
        return job with
        {
            Objective = new Objective { Classification = new ClassificationObjective() },
            Method = method,
            Data = new DataInput(
                [Source("train.jsonl", 64)], new ValidationData { Sources = [Source("validation.jsonl", 32)] }, MaxLength: 64),
            Training = job.Training with { Duration = new TrainingDuration { Steps = 24 }, BatchSize = 16, LearningRate = learningRate },
            Evaluation = new EvaluationPlan([Metric.Loss, Metric.Accuracy]),
        };
    }

    /// <summary>The quickstart's messages with the team of their answers.</summary>
    private static string Lines(string file, int count) => string.Concat(File.ReadLines(Repository.Sample("quickstart", "data", file))
        .Take(count).Select(l => JsonNode.Parse(l)!).Select(l => new JsonObject
        {
            ["body"] = (string)l["prompt"]!, ["team"] = (string)JsonNode.Parse((string)l["completion"]!)!["team"]!,
        }.ToJsonString() + "\n"));

    public static TheoryData<string, double, string[]> Methods => new()
    {
        { "ia3", 0.02, ["adapter_config.json", "adapter_model.safetensors", "manifest.json"] },
        {
            "bottleneck", 0.01,
            ["adapter.safetensors", "adapter_config.json", "head_config.json", "manifest.json", "model_head.safetensors"]
        },
        { "full", 1e-3, ["config.json", "manifest.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_classifier_is_learnt_on_a_base_that_writes_and_measured_by_evaluate(string name, double learningRate, string[] files)
    {
        var method = name switch
        {
            "ia3" => new Method { Ia3 = new Ia3Method() },
            "bottleneck" => new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Houlsby) },
            _ => new Method { Full = new FullMethod() },
        };

        var (code, said, result) = TrainerProcess.Train(folder, Job(method, learningRate));

        Assert.True(code == 0, said);
        Assert.Contains("labels=5 new_layers=score", said, StringComparison.Ordinal);
        var metrics = result.Artifact!.Metrics;
        Assert.True(metrics["loss"] < metrics["baseLoss"] / 2, said);
        Assert.True(metrics["accuracy"] > 0.75 && metrics["accuracy"] > metrics["baseAccuracy"], said);
        Assert.Equal(files, Directory.GetFiles(folder["artifact"]).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        var manifest = File.ReadAllBytes(folder["artifact", ArtifactLayout.Manifest]);
        Assert.Equal(Teams, JsonSerializer.Deserialize(manifest, ContractJson.Default.ArtifactManifest)!.Labels);

        string[] opened = name == "full" ? ["--model", folder["artifact"]] : ["--model", Model, "--adapter", folder["artifact"]];
        string[] asked =
            [.. opened, "--data", folder["validation.jsonl"], "--precision", "F32", "--text-column", "body", "--label-column", "team"];
        var (evaluated, output) = TrainerProcess.Run(folder, ["evaluate", .. asked]);
        Assert.True(evaluated == 0, output);
        var measured = JsonDocument.Parse(output).RootElement;
        // A whole model is stored in the type of the base, which may be coarser than the one it was trained in.
        Assert.Equal(metrics["loss"], measured.GetProperty("loss").GetDouble(), name == "full" ? 0.05 : 1e-4);
        Assert.Equal(metrics["accuracy"], measured.GetProperty("accuracy").GetDouble(), name == "full" ? 0.1 : 1e-9);
        Assert.False(measured.TryGetProperty("exactMatch", out _));

        if (name != "full")
        {
            // The base writes text; it is opened as the classifier that the adapter makes of it.
            var (inspected, verdict) = TrainerProcess.Run(folder, ["inspect", folder["artifact"], "--base", Model]);
            Assert.True(inspected == 0, verdict);
            Assert.Contains("graft-trainer evaluate", verdict, StringComparison.Ordinal);
        }

        var (generated, refused) = TrainerProcess.Run(folder, ["generate", .. opened, "--prompt", "hello"]);
        Assert.NotEqual(0, generated);
        Assert.Contains(name == "full" ? "not for generating text" : "is an adapter of a classifier", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_says_which_columns_and_labels_a_model_has_none_for()
    {
        var classifier = Job(new Method { Ia3 = new Ia3Method() }, 0.02) with { Evaluation = null };
        var (code, said, _) = TrainerProcess.Train(folder, classifier with
        {
            Training = classifier.Training with { Duration = new TrainingDuration { Steps = 1 } },
        });
        Assert.True(code == 0, said);
        folder.Write("strange.csv", "text,label\nhello,nobody\n");

        var (strange, which) = TrainerProcess.Run(
            folder, "evaluate", "--model", Model, "--adapter", folder["artifact"], "--data", folder["strange.csv"]);
        var (plain, generates) = TrainerProcess.Run(
            folder, "evaluate", "--model", Model, "--data", folder["strange.csv"], "--label-column", "label");

        Assert.NotEqual(0, strange);
        Assert.Contains("strange.csv line 2: the label \"nobody\" is none that the model tells apart: \"account\", \"billing\"", which,
            StringComparison.Ordinal);
        Assert.NotEqual(0, plain);
        Assert.Contains("generates text; name the columns of its rows with --prompt-column", generates, StringComparison.Ordinal);
    }
}
