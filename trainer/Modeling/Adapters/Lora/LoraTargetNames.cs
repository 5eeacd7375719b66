using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>Which layers a LoRA goes to.</summary>
internal static class LoraTargetNames
{
    /// <summary>The layers asked for, in the model's order.</summary>
    /// <exception cref="TuningException">A name that matches nothing, or a size that does not fit; all problems at once.</exception>
    public static List<LinearSite> Select(LoraMethod options, IReadOnlyList<LinearSite> linears)
    {
        var problems = new List<string>();
        if (options.Rank < 1) problems.Add($"method.lora.rank is {options.Rank}; it must be at least 1.");
        if (options.Alpha <= 0 || !double.IsFinite(options.Alpha)) problems.Add($"method.lora.alpha is {options.Alpha}; it must be above 0.");
        if (options.Dropout is not (>= 0 and < 1)) problems.Add($"method.lora.dropout is {options.Dropout}; it must be at least 0 and below 1.");
        List<LinearSite> sites = options.Targets.Modules is { } names
            ? [.. linears.Where(l => names.Any(n => Matches(l.Name, n)))]
            : [.. linears];
        foreach (var name in options.Targets.Modules ?? [])
            if (!linears.Any(l => Matches(l.Name, name))) problems.Add(Unknown(name, linears));
        if (options.Targets.Modules is { Count: 0 }) problems.Add("method.lora.targets.modules is empty; name at least one module, or use allLinear.");
        if (sites.Count > 0)
        {
            var smallest = sites.MinBy(s => Math.Min(s.InFeatures, s.OutFeatures))!;
            var most = Math.Min(smallest.InFeatures, smallest.OutFeatures);
            if (options.Rank > most)
                problems.Add($"method.lora.rank is {options.Rank}, but {smallest.Name} is only {smallest.OutFeatures} x {smallest.InFeatures}; the rank can be at most {most}.");
        }
        return problems.Count == 0 ? sites : throw new TuningException(problems);
    }

    /// <summary>PEFT's rule: the whole name, or the end of it after a dot.</summary>
    public static bool Matches(string site, string target) =>
        site == target || site.EndsWith("." + target, StringComparison.Ordinal);

    public static List<string> LastParts(IEnumerable<LinearSite> sites) =>
        [.. sites.Select(s => s.Name[(s.Name.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string Unknown(string name, IReadOnlyList<LinearSite> linears)
    {
        var known = LastParts(linears);
        var last = name[(name.LastIndexOf('.') + 1)..];
        var near = known.Where(k => Distance(k, last) <= Math.Max(2, k.Length / 3)).OrderBy(k => Distance(k, last)).FirstOrDefault();
        var hint = near is null || near == last ? "" : $" Did you mean '{near}'?";
        return $"method.lora.targets.modules: '{name}' matches no linear layer of the model.{hint} There are: {string.Join(", ", known)}.";
    }

    /// <summary>Levenshtein's edit distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
