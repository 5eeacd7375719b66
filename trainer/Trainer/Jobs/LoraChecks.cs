using Graft.Contract;

namespace Graft.Trainer.Jobs;

internal static class LoraChecks
{
    private const int MaxRank = 4096;
    private const int MaxLayers = 4096;

    public static void Check(LoraMethod lora, JobErrors errors)
    {
        errors.Between<int>(lora.Rank, 1, MaxRank, "method.lora.rank");
        errors.Above(lora.Alpha, 0, "method.lora.alpha");
        errors.Probability(lora.Dropout, "method.lora.dropout");
        errors.Above(lora.LoraPlusRatio, 0, "method.lora.loraPlusRatio");
        errors.Union("method.lora.targets", ("allLinear", lora.Targets.AllLinear), ("modules", lora.Targets.Modules));
        if (lora.Targets.Modules is { } modules) errors.Names(modules, 1, MethodChecks.MaxModules, "method.lora.targets.modules");
        Patterns(lora.RankPattern, "method.lora.rankPattern", (rank, field) => errors.Between<int>(rank, 1, MaxRank, field), errors);
        Patterns(lora.AlphaPattern, "method.lora.alphaPattern", (alpha, field) => errors.Above(alpha, 0, field), errors);
        errors.Names(lora.ModulesToSave, 0, MethodChecks.MaxModules, "method.lora.modulesToSave");
        var both = lora.ModulesToSave.Intersect(lora.Targets.Modules ?? []).ToList();
        errors.Check(both.Count == 0, "method.lora.modulesToSave",
            $"names {string.Join(", ", both)}, which method.lora.targets.modules does too; a module trains whole or is updated");
        if (lora.Layers is { } layers) Layers(layers, errors);
    }

    private static void Patterns<T>(IReadOnlyDictionary<string, T> patterns, string field, Action<T, string> check, JobErrors errors)
    {
        errors.Check(patterns.Count <= ModulePatterns.MaxCount, field,
            $"has {patterns.Count} entries; must have at most {ModulePatterns.MaxCount}");
        foreach (var (pattern, value) in patterns)
        {
            if (ModulePatterns.Problem(pattern) is { } problem) errors.Add($"{field}[\"{pattern}\"]", problem);
            check(value, $"{field}[\"{pattern}\"]");
        }
    }

    private static void Layers(IReadOnlyList<int> layers, JobErrors errors)
    {
        errors.Check(layers.Count is >= 1 and <= MaxLayers, "method.lora.layers",
            $"has {layers.Count} entries; must have 1 to {MaxLayers}, or be left out for all blocks");
        for (var i = 0; i < layers.Count; i++) errors.Between<int>(layers[i], 0, MaxLayers - 1, $"method.lora.layers[{i}]");
        errors.Distinct(layers, "method.lora.layers");
    }
}
