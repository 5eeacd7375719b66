namespace Graft.Modeling.Adapters;

/// <summary>
/// The head of a classifier, which trains whole whatever the method, with the pooling that is as new as it where the base brought none.
/// </summary>
internal static class TrainedHead
{
    /// <summary>What PEFT takes for the head of a classifier, whichever of the two there is.</summary>
    private static readonly string[] Usual = ["classifier", "score"];

    /// <summary>Puts it onto the network, where that is a classifier.</summary>
    /// <param name="prefix">Of the names that its tensors are stored under.</param>
    public static void Add(BaseModel model, AdapterTensors tensors, Attachment attachment, string prefix)
    {
        if (model.Config.Task != ModelTask.Classification) return;
        foreach (var site in model.Transformer.Heads) attachment.Add(site, ReplacedLinear.Take(tensors, site, prefix + site.Name));
    }

    /// <summary>Modules of the head, sorted; none where the model is no classifier.</summary>
    public static IReadOnlyList<string> ModulesOf(BaseModel model) => model.Config.Task != ModelTask.Classification ? []
        : [.. model.Transformer.Heads.Select(h => Usual.FirstOrDefault(u => h.Name.Split('.')[0] == u) ?? h.Name)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>What PEFT's <c>modules_to_save</c> names: both of what it takes for a head, and what else is new.</summary>
    public static IReadOnlyList<string> SavedNames(BaseModel model) =>
        ModulesOf(model) is { Count: > 0 } modules ? [.. Usual.Union(modules, StringComparer.Ordinal)] : [];

    /// <summary>PEFT's <c>task_type</c>.</summary>
    public static string TaskOf(ModelConfig config) => config.Task switch
    {
        ModelTask.Classification => "SEQ_CLS",
        ModelTask.Embedding => "FEATURE_EXTRACTION",
        _ => "CAUSAL_LM",
    };

    /// <summary>Refuses modules beside a classifier's head that were saved whole.</summary>
    public static void CheckModulesToSave(AdapterFolder folder)
    {
        var modules = folder.Config.Texts("modules_to_save") ?? [];
        var others = modules.Where(m => !Usual.Contains(m) && !m.EndsWith("pooler.dense", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).ToList();
        if (others.Count > 0)
            folder.Config.Wrong($"modules_to_save names {string.Join(", ", others)}; only the head of a classifier is supported there");
    }
}
