namespace Graft.Modeling.Tests;

/// <summary>
/// Finds the cases of a group of golden fixtures (models, tokenizers, chat, gguf, peft): every folder below the group's that holds a
/// given file. In the folder that <c>GRAFT_FIXTURES</c> names, which is then complete in itself and may not lack the group; else in
/// <c>tests/fixtures</c> together with the published ones that are not part of this repository, where they lie beside it.
/// </summary>
internal static class FixtureSets
{
    public const string Variable = "GRAFT_FIXTURES";

    private static readonly string? Named = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named) : null;

    private static readonly string[] Roots =
        Named is not null ? [Named] : [Fixtures.Path(), Path.GetFullPath(Path.Combine(Fixtures.Root, "..", "shared", "fixtures"))];

    /// <summary>Where a group's cases are of several kinds, the files by which each is known.</summary>
    private static readonly Dictionary<string, string[]> Markers = new()
    {
        ["tokenizers"] = ["cases.jsonl"],
        ["gguf"] = ["model.gguf", "adapter.gguf"],
    };

    /// <summary>The cases' names: their folders, relative to the group's.</summary>
    /// <param name="marker">A file that each case has.</param>
    /// <exception cref="InvalidOperationException">
    /// There is none, so that no test would run; or <c>GRAFT_FIXTURES</c> is set and a folder of the group is not a whole case.
    /// </exception>
    public static TheoryData<string> Cases(string group, string marker)
    {
        var names = Roots.Select(root => Path.Combine(root, group)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, marker, SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, Path.GetDirectoryName(file)!)))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0) throw new InvalidOperationException($"no fixture of the group '{group}' (a folder with {marker}) is in {string.Join(" or ", Roots)}");
        if (Named is not null && NotCases(Path.Combine(Named, group), Markers.GetValueOrDefault(group, [marker])) is { Count: > 0 } broken)
            throw new InvalidOperationException($"{Variable}: no case of the group '{group}', for want of "
                + $"{string.Join(" or ", Markers.GetValueOrDefault(group, [marker]))}: {string.Join(", ", broken)}");
        return [.. names];
    }

    /// <summary>Folders that are no case, nor part of one, nor hold one: what they were made for would be left out silently.</summary>
    /// <param name="markers">Files of which each case has one.</param>
    internal static List<string> NotCases(string folder, IReadOnlyList<string> markers)
    {
        var cases = markers.SelectMany(m => Directory.EnumerateFiles(folder, m, SearchOption.AllDirectories))
            .Select(f => Path.GetDirectoryName(f)! + Path.DirectorySeparatorChar).ToList();
        return [.. Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories)
            .Where(d => !cases.Exists(c => c.StartsWith(d + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                || d.StartsWith(c, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>A case's folder, by its name in <see cref="Cases"/>.</summary>
    public static string Folder(string group, string name) =>
        Roots.Select(root => Path.Combine(root, group, name)).First(Directory.Exists);

    /// <summary>A file that several cases of a group share, in the group's own folder.</summary>
    public static string File(string group, string name) =>
        Roots.Select(root => Path.Combine(root, group, name)).First(System.IO.File.Exists);
}
