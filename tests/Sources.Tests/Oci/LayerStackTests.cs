using Graft.Sources.Oci;

namespace Graft.Sources.Tests.Oci;

/// <summary>The cases of the OCI image specification's chapter on changesets.</summary>
public class LayerStackTests
{
    private static readonly OciDescriptor Below = Layer('1');
    private static readonly OciDescriptor Above = Layer('2');

    [Theory]
    [InlineData("+m/a.json", "m/a.json>2 m/b.json>1 m/s/c.json>1 x.json>1")]
    [InlineData("-m/a.json", "m/b.json>1 m/s/c.json>1 x.json>1")]
    [InlineData("-m/s", "m/a.json>1 m/b.json>1 x.json>1")]
    [InlineData("-m", "x.json>1")]
    [InlineData("*m", "x.json>1")]
    [InlineData("*", "")]
    [InlineData("* +m/a.json", "m/a.json>2")]
    [InlineData("+m/a.json *m", "m/a.json>2 x.json>1")]
    [InlineData("+m/s/d.json -m/s", "m/a.json>1 m/b.json>1 m/s/d.json>2 x.json>1")]
    [InlineData("/m", "m/a.json>1 m/b.json>1 m/s/c.json>1 x.json>1")]
    [InlineData("/x.json", "m/a.json>1 m/b.json>1 m/s/c.json>1")]
    [InlineData("+m", "m>2 x.json>1")]
    [InlineData("+x.json/y.json", "m/a.json>1 m/b.json>1 m/s/c.json>1 x.json/y.json>2")]
    [InlineData("-not/there *nor/this -m/a", "m/a.json>1 m/b.json>1 m/s/c.json>1 x.json>1")]
    public void A_later_layer_wins_and_hides_only_what_lies_below(string above, string left)
    {
        var stack = new LayerStack();
        stack.Put(Below, Entries("+m/a.json +m/b.json +m/s/c.json +x.json"));
        stack.Put(Above, Entries(above));

        var files = stack.Files().OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}>{f.Value[0]}");
        Assert.Equal(left, string.Join(' ', files));
    }

    [Fact]
    public void A_deep_name_costs_no_stack()
    {
        var stack = new LayerStack();
        stack.Put(string.Join('/', Enumerable.Repeat("a", 100_000)), "blob");
        Assert.Single(stack.Files());
    }

    [Fact]
    public void More_files_than_any_model_has_are_refused()
    {
        var stack = new LayerStack();
        var failure = Assert.Throws<SourceException>(() =>
        {
            for (var i = 0; i <= 200_000; i++) stack.Put($"{i}.json", "blob");
        });
        Assert.Equal(SourceFault.Unusable, failure.Fault);
    }

    private static OciDescriptor Layer(char digit) => new(null, "sha256:" + new string(digit, 64), 1, null);

    private static List<LayerEntry> Entries(string text) => [.. text.Split(' ').Select(e => new LayerEntry((LayerMark)e[0], e[1..]))];
}
