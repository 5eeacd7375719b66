using System.Text.RegularExpressions;

namespace Graft.Modeling.Adapters;

/// <summary>Which modules are targets: the fields of PEFT's configuration that decide it together, with PEFT's rule.</summary>
internal sealed record LoraTargetRule
{
    /// <summary>Whole names, or ends of them after a dot. Null where <see cref="Pattern"/> or nothing says it.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Fits whole names.</summary>
    public string? Pattern { get; init; }

    /// <summary>Every linear layer but those that give the answer.</summary>
    public bool AllLinear { get; init; }

    public IReadOnlyList<string> ExcludedNames { get; init; } = [];
    public string? ExcludedPattern { get; init; }

    /// <summary>Blocks; null: all. A module that is named whole is taken in any block.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>What stands before a block's number; empty: anything.</summary>
    public IReadOnlyList<string> LayersPatterns { get; init; } = [];

    /// <summary>Modules that train whole, which are no targets.</summary>
    public IReadOnlyList<string> Saved { get; init; } = [];

    private Regex? Wanted => field ??= Pattern is null ? null : ModulePattern.Whole(Pattern);
    private Regex? Excluded => field ??= ExcludedPattern is null ? null : ModulePattern.Whole(ExcludedPattern);
    private IReadOnlyList<Regex> Blocks => field ??=
        LayersPatterns.Count == 0 ? [ModulePattern.Block(null)] : [.. LayersPatterns.Select(ModulePattern.Block)];

    /// <param name="isLinear">Whether it is a linear layer that does not give the answer.</param>
    public bool Takes(string module, bool isLinear)
    {
        if (Excluded?.IsMatch(module) == true || ExcludedNames.Any(n => Matches(module, n)) || Saves(module)) return false;
        if (AllLinear) return isLinear && InLayers(module);
        if (Wanted is not null) return Wanted.IsMatch(module);
        return Names is not null
            && (Names.Contains(module, StringComparer.Ordinal) || (Names.Any(n => Matches(module, n)) && InLayers(module)));
    }

    /// <summary>Whether the module or one that it is a part of trains whole.</summary>
    public bool Saves(string module) => Saved.Any(s => IsWithin(module, s));

    /// <summary>The whole name, or the end of it after a dot.</summary>
    public static bool Matches(string module, string name) => module == name || module.EndsWith("." + name, StringComparison.Ordinal);

    /// <summary>Whether a module has that name, or stands in one that has.</summary>
    public static bool IsWithin(string module, string name) => $".{module}.".Contains($".{name}.", StringComparison.Ordinal);

    private bool InLayers(string module)
    {
        if (Layers is null) return true;
        foreach (var pattern in Blocks)
            if (pattern.Match(module) is { Success: true } found)
                return int.TryParse(found.Groups["block"].ValueSpan, out var block) && Layers.Contains(block);
        return false;
    }
}
