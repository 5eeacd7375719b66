using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Support;

/// <summary>A run of the reference implementation: 8 steps with their losses and gradient norms, and the tensors after them.</summary>
internal sealed class PeftCase : IDisposable
{
    private readonly string name;
    private readonly JsonElement train;

    public PeftCase(string name)
    {
        this.name = name;
        train = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture("peft", name, "train.json"))).RootElement;
        Model = BaseModel.Load(Repository.Fixture("models", "llama"), new LoadOptions(CPU, ScalarType.Float32, RequireTokenizer: false));
        var initial = Repository.Fixture("peft", name, "adapter_init");
        Method = TuningMethods.Create(Directory.Exists(initial)
            ? Lora(Path.Combine(initial, "adapter_config.json"))
            : new Method { Full = new FullMethod() });
        Method.Attach(Model, new Generator(0));
        if (Directory.Exists(initial)) Fill(Path.Combine(initial, "adapter_model.safetensors"));
    }

    public BaseModel Model { get; }
    public TuningMethod Method { get; }
    public double LearningRate => train.GetProperty("optimizer").GetProperty("lr").GetDouble();
    public AdamW Optimizer => new(train.GetProperty("optimizer").GetProperty("weight_decay").GetDouble());

    /// <summary>The rows of all steps in order; every step has as many.</summary>
    public List<Example> Examples => [.. Steps.SelectMany(Rows)];
    public int BatchSize => Rows(Steps[0]).Count();
    public IReadOnlyList<double> Losses => [.. Steps.Select(s => s.GetProperty("loss").GetDouble())];
    public IReadOnlyList<double> GradNorms => [.. Steps.Select(s => s.GetProperty("grad_norm").GetDouble())];

    private List<JsonElement> Steps => [.. train.GetProperty("steps").EnumerateArray()];

    /// <summary>Largest distance of a trained tensor from the reference's.</summary>
    public double DistanceFromFinal()
    {
        var folder = Repository.Fixture("peft", name, "adapter_final");
        var path = Path.Combine(folder, "adapter_model.safetensors");
        using var final = SafetensorsFile.Open(File.Exists(path) ? path : Path.Combine(folder, "model.safetensors"));
        using var guard = no_grad();
        return Method.Trainable.Max(t => (double)t.Parameter.sub(final.Map(t.Name)).abs().max().item<float>());
    }

    public void Dispose()
    {
        Method.Dispose();
        Model.Dispose();
    }

    private static IEnumerable<Example> Rows(JsonElement step)
    {
        var masks = step.GetProperty("attention_mask").EnumerateArray();
        var labels = step.GetProperty("labels").EnumerateArray();
        foreach (var ((ids, mask), label) in step.GetProperty("input_ids").EnumerateArray().Zip(masks).Zip(labels))
        {
            var length = mask.EnumerateArray().Sum(m => m.GetInt32());
            yield return new Example(
                [.. ids.EnumerateArray().Take(length).Select(i => i.GetInt32())],
                [.. label.EnumerateArray().Take(length).Select((l, i) => i > 0 && l.GetInt32() >= 0)]);
        }
    }

    private static Method Lora(string path)
    {
        var config = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
        var targets = new LoraTargets { Modules = [.. config.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!)] };
        return new Method
        {
            Lora = new LoraMethod(targets, config.GetProperty("r").GetInt32(), config.GetProperty("lora_alpha").GetDouble(),
                RsLora: config.GetProperty("use_rslora").GetBoolean()),
        };
    }

    private void Fill(string path)
    {
        using var file = SafetensorsFile.Open(path);
        using var guard = no_grad();
        foreach (var (key, parameter) in Method.Trainable) parameter.copy_(file.Map(key));
    }
}
