namespace Graft.Runtime.Tests;

public sealed class LabelSelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "x", ["example.com/tier"] = "a", ["empty"] = "" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=x", true)]
    [InlineData("app == x", true)]
    [InlineData("app=y", false)]
    [InlineData("app!=y", true)]
    [InlineData("missing!=y", true)]
    [InlineData("app", true)]
    [InlineData("!app", false)]
    [InlineData("!missing", true)]
    [InlineData("example.com/tier in (a, b),app=x", true)]
    [InlineData("example.com/tier in (b)", false)]
    [InlineData("example.com/tier notin (b, c)", true)]
    [InlineData("empty=", true)]
    [InlineData("app=x,app=y", false)]
    public void A_selector_matches_as_the_servers_would(string selector, bool matches) =>
        Assert.Equal(matches, LabelSelector.Parse(selector).Matches(Labels));

    [Theory]
    [InlineData("app=x y")]
    [InlineData("in (a)x")]
    [InlineData("!app=x")]
    public void What_is_no_selector_is_refused(string selector) => Assert.Throws<FormatException>(() => LabelSelector.Parse(selector));
}
