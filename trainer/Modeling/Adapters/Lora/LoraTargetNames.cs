namespace Graft.Modeling.Adapters;

/// <summary>Names of layers as people write them.</summary>
internal static class LoraTargetNames
{
    /// <summary>From so many names on PEFT looks for short ones that say the same.</summary>
    private const int Many = 20;

    public static List<string> LastParts(IEnumerable<string> modules) =>
        [.. modules.Select(LastPart).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    public static List<string> LastParts(IEnumerable<LinearSite> sites) => LastParts(sites.Select(s => s.Name));

    /// <summary>
    /// What to write for modules that were not named: all names, or where they are many the shortest ends that fit no other module.
    /// </summary>
    /// <param name="others">Names of the model's other modules.</param>
    public static List<string> Shortest(IReadOnlyList<string> modules, IEnumerable<string> others)
    {
        if (modules.Count < Many) return [.. modules.Order(StringComparer.Ordinal)];
        var taken = others.SelectMany(Ends).ToHashSet(StringComparer.Ordinal);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var module in modules)
            if (!found.Any(f => LoraTargetRule.Matches(module, f)))
                found.Add(Ends(module).FirstOrDefault(e => !taken.Contains(e)) ?? module);
        return [.. found];
    }

    /// <summary>A name that fits no module, with those that are nearest to it.</summary>
    public static string Unknown(string field, string name, IEnumerable<string> modules)
    {
        var known = LastParts(modules);
        var last = LastPart(name);
        var near = known.Where(k => Distance(k, last) <= Math.Max(2, k.Length / 3)).GroupBy(k => Distance(k, last)).MinBy(g => g.Key);
        var hint = near is null or { Key: 0 } ? "" : $" Did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?";
        return $"{field}: '{name}' matches no linear layer of the model.{hint} There are: {string.Join(", ", known)}.";
    }

    private static string LastPart(string module) => module[(module.LastIndexOf('.') + 1)..];

    /// <summary>The last part, the last two, and so on.</summary>
    private static IEnumerable<string> Ends(string module)
    {
        for (var at = module.Length - 1; at >= 0; at--)
            if (module[at] == '.') yield return module[(at + 1)..];
        yield return module;
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
