using Graft.Contract;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Bottleneck adapters: see <see cref="BottleneckMethod"/>. Its folders are AdapterHub's.</summary>
internal sealed class BottleneckTuning(BottleneckConfig config) : TuningMethod
{
    private static readonly Dictionary<string, string> NoMetadata = [];

    public override string Name => "bottleneck";
    public override double DefaultLearningRate => 1e-3;

    internal override string? StateFile => ArtifactLayout.HubAdapterWeights;

    public static BottleneckTuning Read(AdapterFolder folder) => new(HubBottleneckConfig.Read(folder));

    private protected override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        CheckOptions(model);
        var activation = Activation.Named(config.Activation)!;
        var dropout = DropoutWith(tensors.Learn ? Rng : null);
        var attachment = new Attachment();
        foreach (var site in model.Transformer.Residuals)
        {
            // Two places a block.
            if (config.LeaveOut?.Contains(site.Index / 2) == true) continue;
            if (!(site.Half == BlockHalf.Attention ? config.Attention : config.FeedForward)) continue;
            attachment.Add(site, new BottleneckAdapter(
                config, activation, tensors, $"{site.Name}.adapters.{config.AdapterName}.", site.Size, dropout));
        }
        TrainedHead.Add(model, tensors, attachment, "");
        return attachment;
    }

    public override void Save(string folder, BaseModel model, string baseModelName)
    {
        var isAdapter = Trainable.ToLookup(t => t.Name.Contains(".adapters.", StringComparison.Ordinal), t => (t.Name, t.Parameter));
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.HubAdapterWeights), isAdapter[true], NoMetadata);
        HubBottleneckConfig.Write(Path.Combine(folder, ArtifactLayout.AdapterConfig), config, model, baseModelName);
        if (model.Config.Task != ModelTask.Classification) return;
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.HubHeadWeights), isAdapter[false], NoMetadata);
        HubHeadConfig.Write(Path.Combine(folder, ArtifactLayout.HubHeadConfig), model, baseModelName);
    }

    private protected override AdapterFacts Describe(AdapterFacts facts) => facts with
    {
        Targets = [.. config.Attention ? ["attention"] : Array.Empty<string>(), .. config.FeedForward ? ["feedForward"] : Array.Empty<string>()],
    };

    private Func<Tensor, Tensor> DropoutWith(Generator? rng)
    {
        if (config.Dropout == 0 || rng is null) return x => x;
        var dropout = new Dropout(config.Dropout, rng, this);
        return x => dropout.Active ? dropout.Apply(x) : x;
    }

    private void CheckOptions(BaseModel model)
    {
        var problems = new List<string>();
        if (config.Reduction <= 0 || !double.IsFinite(config.Reduction))
            problems.Add($"method.bottleneck.reductionFactor is {config.Reduction}; it must be above 0.");
        if (!double.IsFinite(config.Scaling)) problems.Add($"method.bottleneck.scaling is {config.Scaling}; it must be a number.");
        if (config.Dropout is not (>= 0 and < 1))
            problems.Add($"method.bottleneck.dropout is {config.Dropout}; it must be at least 0 and below 1.");
        if (model.Transformer.Residuals.Count == 0) problems.Add($"{model.Config.Architecture} has no place for bottleneck adapters.");
        if (problems.Count > 0) throw new TuningException(problems);
    }
}
