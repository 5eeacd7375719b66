using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>IA3: see <see cref="Ia3Method"/>.</summary>
/// <param name="isRead">The options are a folder's, not a job's.</param>
internal sealed class Ia3Tuning(Ia3Method options, bool isRead = false) : TuningMethod
{
    private readonly string origin = isRead ? "adapter_config.json" : "method.ia3.targets";

    private Ia3Targets targets = new([], []);
    private List<string> tuned = [];

    public override string Name => "ia3";

    // As in the paper's recipe (T-Few).
    public override double DefaultLearningRate => 3e-3;

    public static Ia3Tuning Read(AdapterFolder folder) => new(PeftIa3Config.Read(folder), isRead: true);

    private protected override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        targets = options.Targets ?? Ia3Defaults.Of(model.Config.ModelType)
            ?? throw new TuningException([$"{origin}: there are no usual ones for {model.Config.ModelType}; name modules and feedForward."]);
        CheckOptions(model.Transformer.Linears);
        var attachment = new Attachment();
        var sites = new List<LinearSite>();
        foreach (var site in model.Transformer.Linears)
        {
            if (!targets.Modules.Any(t => LoraTargetRule.Matches(site.Name, t))) continue;
            var ofInput = IsFeedForward(site);
            long[] shape = ofInput ? [1, site.InFeatures] : [site.OutFeatures, 1];
            attachment.Add(site, new Ia3Layer(tensors.Take($"base_model.model.{site.Name}.ia3_l", shape, Initial.One, exact: true), ofInput));
            sites.Add(site);
        }
        tuned = LoraTargetNames.LastParts(sites);
        TrainedHead.Add(model, tensors, attachment, "base_model.model.");
        return attachment;
    }

    public override void Save(string folder, BaseModel model, string baseModelName)
    {
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), Trainable.Select(t => (t.Name, t.Parameter)));
        PeftIa3Config.Write(Path.Combine(folder, ArtifactLayout.AdapterConfig), targets, model, baseModelName);
    }

    private protected override AdapterFacts Describe(AdapterFacts facts) => facts with { Targets = tuned };

    // PEFT asks for no dot before these.
    private bool IsFeedForward(LinearSite site) => targets.FeedForward.Any(f => site.Name.EndsWith(f, StringComparison.Ordinal));

    private void CheckOptions(IReadOnlyList<LinearSite> linears)
    {
        var problems = new List<string>();
        if (isRead)
        {
            // Such a folder may name what other models have; its tensors say what it tunes of this one.
            if (linears.Any(l => targets.Modules.Any(t => LoraTargetRule.Matches(l.Name, t)))) return;
            throw new TuningException([$"target_modules matches no linear layer: {string.Join(", ", targets.Modules)}."]);
        }
        if (targets.Modules.Count == 0) problems.Add($"{origin}: names no module; name at least one.");
        var known = linears.Select(l => l.Name).ToList();
        foreach (var name in targets.Modules.Where(n => !linears.Any(l => LoraTargetRule.Matches(l.Name, n))))
            problems.Add(LoraTargetNames.Unknown(origin, name, known));
        foreach (var name in targets.FeedForward)
        {
            var scaled = linears.Where(l => l.Name.EndsWith(name, StringComparison.Ordinal));
            if (scaled.Any(l => targets.Modules.Any(t => LoraTargetRule.Matches(l.Name, t)))) continue;
            problems.Add($"{origin}: '{name}' is to be scaled before a feed-forward layer, but is none of the modules: "
                + $"{string.Join(", ", targets.Modules)}.");
        }
        if (problems.Count > 0) throw new TuningException(problems);
    }
}
