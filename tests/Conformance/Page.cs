using System.Text;

namespace Graft.Conformance;

/// <summary>The table of behaviours as a page for people.</summary>
internal static class Page
{
    private const string Name = "docs/local-api.md";

    private const string Introduction = """
        # What the embedded Kubernetes API does

        `graft-operator local` serves a Kubernetes API in its own process ([local.md](local.md)). This page lists what that API promises, one line
        for each case of `tests/Conformance`, with the page, KEP or source of Kubernetes that promises it. The same cases run against any
        cluster: `GRAFT_TEST_KUBECONFIG=... dotnet test tests/Conformance`. Each case has a namespace of its own, which is removed afterwards.

        This page is generated: `make generate` writes it anew from the table of cases.
        """;

    /// <summary>The page's file in the checkout that this program was built in.</summary>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Operator.sln")))
                return Path.Combine(folder.FullName, Name);
        }
        throw new InvalidOperationException($"no Operator.sln above {AppContext.BaseDirectory}");
    }

    public static string Text(IReadOnlyList<Area> areas)
    {
        var text = new StringBuilder();
        text.Append(Introduction).Append('\n');
        var cases = areas.SelectMany(area => area.Cases).ToList();
        var lacking = cases.Where(c => c.Lacks is not null).ToList();
        text.Append($"\n{cases.Count - lacking.Count} behaviours are implemented, {lacking.Count} are not yet.\n");
        if (lacking.Count > 0)
        {
            text.Append("\n## Not implemented yet\n\n| Kubernetes | what you get instead | source |\n|---|---|---|\n");
            foreach (var c in lacking)
                text.Append($"| {Cell(c.Sentence)} | {Cell(c.Lacks!)} | {Link(c.Source)} |\n");
        }
        foreach (var area in areas)
        {
            text.Append($"\n## {area.Title}\n\n| behaviour | source |\n|---|---|\n");
            foreach (var c in area.Cases.Where(c => c.Lacks is null))
                text.Append($"| {Cell(c.Sentence)} | {Link(c.Source)} |\n");
        }
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Link(Source source) => $"[{source.Title}]({source.Url})";
}
