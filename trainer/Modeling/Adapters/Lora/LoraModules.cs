using Graft.Contract;
using Graft.Modeling.Models;

namespace Graft.Modeling.Adapters;

/// <summary>The modules of a model that a LoRA goes to.</summary>
/// <param name="Linears">That get an update, in the model's order; heads come last.</param>
/// <param name="Embedding">That gets an update, or none.</param>
/// <param name="SavedLinears">That train whole.</param>
/// <param name="SavedEmbedding">That trains whole, or none.</param>
/// <param name="Others">Names of the rest.</param>
internal sealed record LoraModules(
    IReadOnlyList<LinearSite> Linears, EmbeddingSite? Embedding, IReadOnlyList<LinearSite> SavedLinears, EmbeddingSite? SavedEmbedding,
    IReadOnlyList<string> Others)
{
    /// <summary>Names of those that get an update.</summary>
    public IEnumerable<string> Updated => [.. Linears.Select(l => l.Name), .. Embedding is { } e ? [e.Name] : Array.Empty<string>()];

    /// <summary>Names of those that train whole.</summary>
    public IEnumerable<string> Saved =>
        [.. SavedLinears.Select(l => l.Name), .. SavedEmbedding is { } e ? [e.Name] : Array.Empty<string>()];

    public static IEnumerable<LinearSite> AllLinears(Transformer network) =>
        [.. network.Linears, .. network.Heads, .. network.OutputHead is { } head ? [head] : Array.Empty<LinearSite>()];

    /// <summary>Names of all.</summary>
    public static IEnumerable<string> Names(Transformer network) =>
        [.. AllLinears(network).Select(l => l.Name), .. network.Embedding is { } e ? [e.Name] : Array.Empty<string>()];

    public static LoraModules Of(Transformer network, LoraTargetRule rule)
    {
        var inside = network.Linears.Count;
        var all = AllLinears(network).ToList();
        var updated = all.Where((l, i) => rule.Takes(l.Name, isLinear: i < inside)).ToList();
        var embedding = network.Embedding is { } e && rule.Takes(e.Name, isLinear: false) ? e : null;
        return new LoraModules(
            updated, embedding, [.. all.Where(l => rule.Saves(l.Name))],
            network.Embedding is { } s && rule.Saves(s.Name) ? s : null,
            [.. Names(network).Except(updated.Select(l => l.Name), StringComparer.Ordinal).Where(n => n != embedding?.Name)]);
    }

    /// <summary>What is wrong with a job's options for this model, naming the fields.</summary>
    public IEnumerable<string> Problems(LoraMethod o, BaseModel model)
    {
        if (o.Rank < 1) yield return $"method.lora.rank is {o.Rank}; it must be at least 1.";
        if (o.Alpha <= 0 || !double.IsFinite(o.Alpha)) yield return $"method.lora.alpha is {o.Alpha}; it must be above 0.";
        if (o.Dropout is not (>= 0 and < 1)) yield return $"method.lora.dropout is {o.Dropout}; it must be at least 0 and below 1.";
        if (o.LoraPlusRatio <= 0 || !double.IsFinite(o.LoraPlusRatio))
            yield return $"method.lora.loraPlusRatio is {o.LoraPlusRatio}; it must be above 0.";
        var names = Names(model.Transformer).ToList();
        foreach (var name in (o.Targets.Modules ?? []).Where(n => !names.Any(m => LoraTargetRule.Matches(m, n))))
            yield return LoraTargetNames.Unknown("method.lora.targets.modules", name, names);
        if (o.Layers is { Count: > 0 })
            foreach (var name in (o.Targets.Modules ?? []).Where(n =>
                names.Any(m => LoraTargetRule.Matches(m, n)) && !Updated.Concat(Saved).Any(u => LoraTargetRule.Matches(u, n))))
                yield return $"method.lora.targets.modules: '{name}' is in none of the blocks that layers names; "
                    + "give the module's whole name where it is in no block.";
        if (o.Targets.Modules is { Count: 0 })
            yield return "method.lora.targets.modules is empty; name at least one module, or use allLinear.";
        foreach (var name in o.ModulesToSave.Where(n => !names.Any(m => LoraTargetRule.IsWithin(m, n))))
            yield return LoraTargetNames.Unknown("method.lora.modulesToSave", name, names);
        foreach (var layer in (o.Layers ?? []).Where(l => l < 0 || l >= model.Config.Layers))
            yield return $"method.lora.layers names block {layer}, but the model's are 0 to {model.Config.Layers - 1}.";
        if (o.Layers is { Count: 0 }) yield return "method.lora.layers is empty; leave it out to tune all blocks.";
        if (o.Dora && Embedding is not null)
            yield return $"method.lora.dora is not supported on the embedding {Embedding.Name}; take it out of targets.modules.";
    }
}
