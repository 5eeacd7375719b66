using System.Text.Json;
using System.Text.RegularExpressions;
using Graft.Contract;
using Graft.Modeling;
using Graft.Modeling.Adapters;
using Graft.Trainer.Data;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Support;

/// <summary>
/// A training run of the reference implementation, and the same one here: its base model, its method as the folder of its adapter says
/// it, and its first values.
/// </summary>
internal sealed partial class PeftCase : IDisposable
{
    private readonly string folder;
    private readonly JsonElement train;

    public PeftCase(string folder)
    {
        this.folder = folder;
        (train, Expected) = (Json("train.json"), Json("expected.json"));
        Model = OpenBase();
        Method = CreateMethod();
        Method.Attach(Model, new Generator(0));
        if (HasAdapter) Fill(File.Exists(At("trainable_init.safetensors")) ? "trainable_init.safetensors" : "adapter_init");
    }

    public BaseModel Model { get; }
    public TuningMethod Method { get; }
    public JsonElement Expected { get; }

    /// <summary>False: every weight trains, from where the base is.</summary>
    public bool HasAdapter => Directory.Exists(At("adapter_init"));

    /// <summary>The base as the reference called it.</summary>
    public string BaseName => Expected.GetProperty("base").GetString()!;
    public double LearningRate => Optimization.GetProperty("lr").GetDouble();
    public double MaxGradNorm => train.GetProperty("max_grad_norm").GetDouble();

    /// <summary>The rows of all steps in order; every step has as many.</summary>
    public List<Example> Examples => [.. Steps.SelectMany(Rows)];
    public int BatchSize => Rows(Steps[0]).Count();
    public IReadOnlyList<double> Losses => [.. Steps.Select(s => s.GetProperty("loss").GetDouble())];
    public IReadOnlyList<double> GradNorms => [.. Steps.Select(s => s.GetProperty("grad_norm").GetDouble())];

    /// <summary>The same steps in parts, where the case has that.</summary>
    public (int Rows, IReadOnlyList<double> Losses, IReadOnlyList<double> GradNorms)? MicroBatches =>
        !train.TryGetProperty("micro_batches", out var micro) ? null
            : (micro.GetProperty("rows_per_micro_batch").GetInt32(), Numbers(micro, "loss"), Numbers(micro, "grad_norm"));

    private JsonElement Optimization => train.GetProperty("optimizer");
    private List<JsonElement> Steps => [.. train.GetProperty("steps").EnumerateArray()];

    public string At(params string[] parts) => Path.Combine([folder, .. parts]);

    public JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(At(parts))).RootElement;

    /// <summary>The base anew, without any method on it.</summary>
    public BaseModel OpenBase() => Open(At(train.GetProperty("base").GetString()!));

    /// <summary>Whatever it is for.</summary>
    public static BaseModel Open(string path) =>
        BaseModel.Load(Path.GetFullPath(path), new LoadOptions(CPU, ScalarType.Float32, RequireTokenizer: false, Task: null));

    /// <summary>The reference's batches through the one loop.</summary>
    public List<StepReport> Run(
        int? steps = null, int? microBatchSize = null, int microBatchTokens = int.MaxValue, double? learningRate = null,
        double? maxGradNorm = null, Action? afterStep = null)
    {
        var betas = Numbers(Optimization, "betas");
        var optimizer = new AdamW(
            Optimization.GetProperty("weight_decay").GetDouble(), betas[0], betas[1], Optimization.GetProperty("eps").GetDouble());
        var reports = new List<StepReport>();
        new TrainingLoop(Model, Method, Examples, new LoopOptions(
            steps ?? Steps.Count, BatchSize, microBatchSize ?? BatchSize, microBatchTokens, optimizer, _ => learningRate ?? LearningRate,
            maxGradNorm ?? MaxGradNorm, Shuffle: false), TimeProvider.System).Run(report =>
        {
            reports.Add(report);
            afterStep?.Invoke();
        }, CancellationToken.None);
        return reports;
    }

    /// <summary>Learning rates that the reference had for single tensors, by their names here.</summary>
    public IReadOnlyDictionary<string, double> Rates => !Optimization.TryGetProperty("groups", out var groups)
        ? new Dictionary<string, double>()
        : groups.EnumerateArray()
            .SelectMany(g => g.GetProperty("params").EnumerateArray().Select(p => (Name: p.GetString()!, Group: g)))
            .ToDictionary(p => NameHere(p.Name), p => p.Group.GetProperty("lr").GetDouble());

    /// <summary>The state after training, by the names of what trains here.</summary>
    public GoldenTensors Final() =>
        Tensors(File.Exists(At("trainable_final.safetensors")) ? "trainable_final.safetensors" : "adapter_final");

    /// <summary>Tensors of a file, or of all files of a folder, by the names of what trains here.</summary>
    public GoldenTensors Tensors(string path) => new(At(path), NameHere);

    public void Dispose()
    {
        Method.Dispose();
        Model.Dispose();
    }

    /// <summary>
    /// What a tensor that PEFT has in memory is called in an adapter's file: without the adapter's name and the wrapper of modules that
    /// are saved whole; the vectors of DoRA without <c>.weight</c>. Of a soft prompt the file has nothing but its vectors.
    /// </summary>
    private string NameHere(string name)
    {
        var key = InMemory().Replace(name, "").Replace("lora_magnitude_vector.weight", "lora_magnitude_vector", StringComparison.Ordinal);
        return key == "prompt_encoder.embedding.weight" && Method.Trainable.All(t => t.Name != key) ? "prompt_embeddings" : key;
    }

    private TuningMethod CreateMethod()
    {
        if (!HasAdapter) return TuningMethods.Create(new Method { Full = new FullMethod() });
        using var adapter = AdapterFolder.Open(At("adapter_init"));
        // PEFT's folders do not say how much faster B learns; the run does.
        if (!Optimization.TryGetProperty("lr_ratio", out var ratio)) return TuningMethods.Of(adapter);
        var (options, fields) = PeftLoraReader.Read(adapter);
        return new LoraTuning(options with { LoraPlusRatio = ratio.GetDouble() }, fields);
    }

    private void Fill(string path)
    {
        using var tensors = Tensors(path);
        using var guard = no_grad();
        Assert.Equal(tensors.Names.Order(StringComparer.Ordinal), Method.Trainable.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (var (name, parameter) in Method.Trainable) parameter.copy_(tensors[name]);
    }

    private IEnumerable<Example> Rows(JsonElement step)
    {
        // Before the first token of a text there is something only where a soft prompt stands.
        var first = Model.Transformer.LeadOf(null).Tokens > 0 ? 0 : 1;
        var masks = step.GetProperty("attention_mask").EnumerateArray();
        var labels = step.GetProperty("labels").EnumerateArray();
        foreach (var ((ids, mask), label) in step.GetProperty("input_ids").EnumerateArray().Zip(masks).Zip(labels))
        {
            var length = mask.EnumerateArray().Sum(m => m.GetInt32());
            if (label.ValueKind == JsonValueKind.Number)
            {
                yield return new LabeledExample([.. ids.EnumerateArray().Take(length).Select(i => i.GetInt32())], label.GetInt32());
                continue;
            }
            yield return new Example(
                [.. ids.EnumerateArray().Take(length).Select(i => i.GetInt32())],
                [.. label.EnumerateArray().Take(length).Select((l, i) => i >= first && l.GetInt32() >= 0)]);
        }
    }

    private static List<double> Numbers(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];

    [GeneratedRegex(@"\.(default|modules_to_save)(?=\.|$)")]
    private static partial Regex InMemory();
}
