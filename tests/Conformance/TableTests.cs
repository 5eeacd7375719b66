namespace Graft.Conformance;

/// <summary>The table itself, and the page made of it.</summary>
public sealed class TableTests
{
    [Fact]
    public void No_sentence_stands_twice()
    {
        var twice = Table.Areas.SelectMany(area => area.Cases).GroupBy(c => c.Sentence).Where(same => same.Count() > 1)
            .Select(same => same.Key);

        Assert.Empty(twice);
    }

    [Fact]
    public void Every_source_is_a_page_of_Kubernetes_or_of_a_standard()
    {
        string[] known = ["https://kubernetes.io/", "https://github.com/kubernetes/", "https://datatracker.ietf.org/"];

        var others = Table.Areas.SelectMany(area => area.Cases).Select(c => c.Source.Url)
            .Where(url => !known.Any(start => url.StartsWith(start, StringComparison.Ordinal)));

        Assert.Empty(others);
    }

    [Fact]
    public void The_page_says_what_the_table_says() =>
        Assert.True(Page.Text(Table.Areas) == File.ReadAllText(Page.Find()), "docs/local-api.md is old: run 'make generate'");
}
