namespace Graft.Modeling.Files;

internal static class Lists
{
    /// <summary>The first few of many names, and how many more there are.</summary>
    public static string Some(IReadOnlyCollection<string> names, int most = 8) =>
        names.Count <= most ? string.Join(", ", names) : $"{string.Join(", ", names.Take(most))} and {names.Count - most} more";
}
