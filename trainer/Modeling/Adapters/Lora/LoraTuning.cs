using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>LoRA: see <see cref="LoraMethod"/>.</summary>
internal sealed class LoraTuning(LoraMethod options) : TuningMethod
{
    private List<string> targets = [], tuned = [];

    public override string Name => "lora";
    public override double DefaultLearningRate => 2e-4;

    /// <summary>What the update counts: alpha / r, or alpha / sqrt(r).</summary>
    private double Scale => options.Alpha / (options.RsLora ? Math.Sqrt(options.Rank) : options.Rank);

    public static LoraTuning Read(AdapterFolder folder) => new(PeftLoraConfig.Read(folder));

    private protected override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        var sites = LoraTargetNames.Select(options, model.Transformer.Linears);
        targets = options.Targets.Modules?.Distinct(StringComparer.Ordinal).ToList() ?? LoraTargetNames.LastParts(sites);
        tuned = LoraTargetNames.LastParts(sites);
        var dropout = tensors.Learn && options.Dropout > 0 ? new LoraDropout(options.Dropout, Rng!, this) : null;
        var attachment = new Attachment();
        foreach (var site in sites)
        {
            // As PEFT: A is Kaiming-uniform with a = sqrt(5), that is, uniform within 1 / sqrt(in); B is zero, so training starts at the base.
            var a = tensors.Take(KeyOf(site, "lora_A"), [options.Rank, site.InFeatures], Initial.Uniform(1 / Math.Sqrt(site.InFeatures)));
            var b = tensors.Take(KeyOf(site, "lora_B"), [site.OutFeatures, options.Rank], Initial.Zero);
            attachment.Add(site, new LoraLayer(a, b, Scale, dropout));
        }
        return attachment;
    }

    public override void Save(string folder, BaseModel model, string baseModelName)
    {
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), Trainable.Select(t => (t.Name, t.Parameter)));
        PeftLoraConfig.Write(
            Path.Combine(folder, ArtifactLayout.AdapterConfig), options.Rank, options.Alpha, options.Dropout, options.RsLora, targets, baseModelName);
    }

    public override AdapterFacts Facts(BaseModel model) => new()
    {
        Method = Name,
        Rank = options.Rank,
        Alpha = options.Alpha,
        RsLora = options.RsLora,
        Targets = tuned,
        Dtype = SafetensorsWriter.NameOf(ScalarType.Float32),
        TrainableParameters = Parameters,
        BaseDigest = model.Digest,
    };

    private static string KeyOf(LinearSite site, string part) => $"base_model.model.{site.Name}.{part}.weight";
}
