using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Tests.Storage;

public sealed class StoredObjectTests
{
    [Theory]
    [InlineData("""{"metadata": {"labels": {"a": "1", "b": ""}}}""", "a=1,b=")]
    [InlineData("""{"data": {"metadata": {"labels": {"not": "these"}}}, "metadata": {"name": "x", "labels": {"a": "\u00e4"}}}""", "a=\u00e4")]
    [InlineData("""{"metadata": {"labels": null}}""", "")]
    [InlineData("""{"metadata": {"name": "x"}}""", "")]
    [InlineData("""{}""", "")]
    public void Labels_are_read_without_a_tree(string json, string labels) =>
        Assert.Equal(labels, string.Join(',', ObjectLabels.Of(Encoding.UTF8.GetBytes(json)).Select(pair => $"{pair.Key}={pair.Value}")));

    [Theory]
    [InlineData("""{"apiVersion": "v1"}""", "v1", true)]
    [InlineData("""{"spec": {"apiVersion": "v1"}, "apiVersion": "v2"}""", "v1", false)]
    [InlineData("""{"spec": {}}""", "v1", false)]
    public void The_version_of_an_object_is_read_without_a_tree(string json, string version, bool isIn) =>
        Assert.Equal(isIn, new StoredObject(new ObjectKey("", "a"), Encoding.UTF8.GetBytes(json), 1).IsIn(version));

    [Fact]
    public void A_tree_that_was_let_go_is_made_again()
    {
        var stored = new StoredObject(new ObjectKey("n", "a"), JsonNode.Parse("""{"metadata": {"name": "a"}, "x": "\u00e4<"}""")!.AsObject(), 1);
        GC.Collect();
        Assert.Equal("\u00e4<", stored.Content["x"]!.GetValue<string>());
        Assert.Equal("""{"metadata":{"name":"a"},"x":"ä<"}""", Encoding.UTF8.GetString(stored.Json.Span));
    }

    [Fact]
    public void A_tree_of_objects_keeps_every_moment()
    {
        var first = ObjectTree.Empty.With(At("b", "x")).With(At("a", "z")).With(At("a", "y"));
        var second = first.Without(new ObjectKey("a", "y")).With(At("a", "new"));

        Assert.Equal(["a/y", "a/z", "b/x"], first.All.Select(Text));
        Assert.Equal(["a/new", "a/z", "b/x"], second.All.Select(Text));
        Assert.Equal(["a/new", "a/z"], second.In("a").Select(Text));
        Assert.Equal(["a/z", "b/x"], second.After(new ObjectKey("a", "new"), "").Select(Text));
        Assert.Equal(["a/z"], second.After(new ObjectKey("a", "nothing"), "a").Select(Text));
        Assert.Equal((3, 3, 2, 0), (first.Count, second.Count, second.CountIn("a"), second.CountIn("none")));
        Assert.Null(second.Find(new ObjectKey("a", "y")));
        Assert.NotNull(first.Find(new ObjectKey("a", "y")));
    }

    private static string Text(StoredObject stored) => $"{stored.Key.Namespace}/{stored.Key.Name}";

    private static StoredObject At(string ns, string name) => new(new ObjectKey(ns, name), "{}"u8.ToArray(), 1);
}
