using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Tests.Support;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Training;

/// <summary>The loop with virtual tokens, against PEFT's runs.</summary>
[Collection(TorchCollection.Name)]
public class SoftPromptLoopTests
{
    private const string State = "prompt_encoder.";

    [Theory]
    [InlineData("prompt_llama", 3)]
    [InlineData("prompt_llama", 1)]
    [InlineData("ptuning_mlp_llama", 3)]
    [InlineData("ptuning_lstm_llama", 3)]
    [InlineData("prefix_llama", 3)]
    [InlineData("prefix_proj_llama", 3)]
    public void Losses_gradient_norms_and_final_tensors_are_pefts(string name, int microBatch)
    {
        using var scope = NewDisposeScope();
        using var model = BaseModel.Load(
            Repository.Fixture("models", "llama"), new LoadOptions(CPU, ScalarType.Float32, RequireTokenizer: false));
        using var method = TuningMethods.Create(Of(Json(name, "adapter_init", "adapter_config.json")));
        method.Attach(model, new Generator(0));
        using (var first = Open(name, "init"))
        using (no_grad())
            foreach (var (key, parameter) in method.Trainable) parameter.copy_(first.Map(InMemory(key)));
        var train = Json(name, "train.json");
        var optimizer = train.GetProperty("optimizer");
        List<JsonElement> steps = [.. train.GetProperty("steps").EnumerateArray()];
        List<Example> examples = [.. steps.SelectMany(Rows)];
        var reports = new List<StepReport>();

        new TrainingLoop(model, method, examples, new LoopOptions(
            steps.Count, examples.Count / steps.Count, microBatch, 1024, new AdamW(optimizer.GetProperty("weight_decay").GetDouble()),
            _ => optimizer.GetProperty("lr").GetDouble(), Shuffle: false), TimeProvider.System).Run(reports.Add, CancellationToken.None);

        foreach (var (report, step) in reports.Zip(steps))
        {
            var (loss, norm) = (step.GetProperty("loss").GetDouble(), step.GetProperty("grad_norm").GetDouble());
            Assert.Equal(loss, report.Loss, loss * 2e-5);
            Assert.Equal(norm, report.GradNorm, norm * 1e-4);
        }
        using var final = Open(name, "final");
        using var guard = no_grad();
        Assert.InRange(method.Trainable.Max(t => t.Parameter.sub(final.Map(InMemory(t.Name))).abs().max().item<float>()), 0, 1e-4);
    }

    private static Method Of(JsonElement config)
    {
        var tokens = config.GetProperty("num_virtual_tokens").GetInt32();
        int Hidden() => config.GetProperty("encoder_hidden_size").GetInt32();
        if (config.TryGetProperty("encoder_reparameterization_type", out var encoder))
            return new Method
            {
                PTuning = new PTuningMethod(tokens, encoder.GetString() == "LSTM"
                    ? new PTuningEncoder { Lstm = new LstmEncoder(Hidden()) } : new PTuningEncoder { Mlp = new MlpEncoder(Hidden()) }),
            };
        return config.TryGetProperty("prefix_projection", out var projection)
            ? new Method { PrefixTuning = new PrefixTuningMethod(tokens, projection.GetBoolean() ? new PrefixProjection(Hidden()) : null) }
            : new Method { PromptTuning = new PromptTuningMethod(tokens) };
    }

    /// <summary>All that trains, where PEFT's adapter holds only what was computed from it; else the adapter.</summary>
    private static SafetensorsFile Open(string name, string state)
    {
        var raw = Repository.Fixture("peft", name, $"trainable_{state}.safetensors");
        return SafetensorsFile.Open(
            File.Exists(raw) ? raw : Repository.Fixture("peft", name, $"adapter_{state}", "adapter_model.safetensors"));
    }

    private static string InMemory(string name) =>
        name.StartsWith(State, StringComparison.Ordinal) ? $"{State}default.{name[State.Length..]}" : name;

    private static JsonElement Json(params string[] parts) =>
        JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture(["peft", .. parts]))).RootElement;

    private static IEnumerable<Example> Rows(JsonElement step)
    {
        var masks = step.GetProperty("attention_mask").EnumerateArray();
        var labels = step.GetProperty("labels").EnumerateArray();
        foreach (var ((ids, mask), label) in step.GetProperty("input_ids").EnumerateArray().Zip(masks).Zip(labels))
        {
            var length = mask.EnumerateArray().Sum(m => m.GetInt32());
            yield return new Example(
                [.. ids.EnumerateArray().Take(length).Select(i => i.GetInt32())],
                [.. label.EnumerateArray().Take(length).Select(l => l.GetInt32() >= 0)]);
        }
    }
}
