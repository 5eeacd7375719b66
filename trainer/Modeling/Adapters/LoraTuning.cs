using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>LoRA: see <see cref="LoraMethod"/>.</summary>
internal sealed class LoraTuning(LoraMethod options) : TuningMethod
{
    private readonly SortedDictionary<int, LoraLayer> layers = [];
    private readonly List<(string, Tensor)> trainable = [];
    private List<string> targets = [];

    public override double DefaultLearningRate => 2e-4;
    public override ArtifactKind Kind => ArtifactKind.Adapter;
    public override bool WeightsTrain => false;
    public override IReadOnlyList<(string Name, Tensor Parameter)> Trainable => trainable;

    /// <summary>What the update counts: alpha / r, or alpha / sqrt(r).</summary>
    private double Scale => Scaling(options.Alpha, options.Rank, options.RsLora);

    public static double Scaling(double alpha, int rank, bool rsLora) => alpha / (rsLora ? Math.Sqrt(rank) : rank);

    public static string KeyOf(string site, string part) => $"base_model.model.{site}.{part}.weight";

    public override void Attach(BaseModel model, Generator rng)
    {
        var sites = LoraTargetNames.Select(options, model.Transformer.Linears);
        targets = options.Targets.Modules?.Distinct(StringComparer.Ordinal).ToList() ?? LoraTargetNames.LastParts(sites);
        var dropout = options.Dropout > 0 ? new LoraDropout(options.Dropout, rng, this) : null;
        foreach (var site in sites)
        {
            // As PEFT: A is Kaiming-uniform with a = sqrt(5), that is, uniform within 1 / sqrt(in); B is zero, so training starts at the base.
            var bound = 1 / Math.Sqrt(site.InFeatures);
            var drawn = empty([options.Rank, site.InFeatures], ScalarType.Float32).uniform_(-bound, bound, rng);
            var a = drawn.to(model.Device).DetachFromDisposeScope();
            var b = zeros([site.OutFeatures, options.Rank], ScalarType.Float32, model.Device).DetachFromDisposeScope();
            a.requires_grad = b.requires_grad = true;
            layers.Add(site.Index, new LoraLayer(a, b, Scale, dropout));
            trainable.Add((KeyOf(site.Name, "lora_A"), a));
            trainable.Add((KeyOf(site.Name, "lora_B"), b));
        }
        model.Transformer.Tuning = this;
    }

    public override void Save(string folder, BaseModel model, string baseModelName)
    {
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), trainable);
        PeftLoraConfig.Write(
            Path.Combine(folder, ArtifactLayout.AdapterConfig), options.Rank, options.Alpha, options.Dropout, options.RsLora, targets, baseModelName);
    }

    public override AdapterFacts Facts(BaseModel model) => new()
    {
        Method = "lora",
        Rank = options.Rank,
        Alpha = options.Alpha,
        RsLora = options.RsLora,
        Targets = LoraTargetNames.LastParts(layers.Keys.Select(i => model.Transformer.Linears[i])),
        Dtype = SafetensorsWriter.NameOf(ScalarType.Float32),
        TrainableParameters = trainable.Sum(t => t.Item2.numel()),
        BaseDigest = model.Digest,
    };

    internal override LinearAdapter? At(LinearSite site) => layers.GetValueOrDefault(site.Index);

    protected override void Dispose(bool disposing)
    {
        foreach (var layer in layers.Values) layer.Dispose();
    }
}
