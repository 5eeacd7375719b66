using System.Text;
using Graft.LocalCluster.Faults;

namespace Graft.LocalCluster.Tests.Faults;

public class WatchedEventTests
{
    [Theory]
    [InlineData("A:a1 M:a2 M:a3", "A:a3")]
    [InlineData("M:a1 M:a2 D:a3", "D:a3")]
    [InlineData("A:a1 M:a2 D:a3", "")]
    [InlineData("D:a1 A:a2 M:a3", "D:a1 A:a3")]
    [InlineData("M:a1 M:b2 M:a3", "M:b2 M:a3")]
    [InlineData("A:a1 D:a2 A:a3", "A:a3")]
    public void Coalesced_events_tell_what_a_new_list_would(string events, string told)
    {
        var folded = WatchedEvent.Fold(events.Split(' ').Select(Make));
        Assert.Equal(told, string.Join(' ', folded.Select(e => $"{e.Type[0]}:{e.Name}{Encoding.UTF8.GetString(e.Object.Span)}")));
    }

    [Fact]
    public void A_line_is_written_as_it_was_read()
    {
        const string line = """{"type":"ADDED","object":{"metadata":{"namespace":"n","name":"ä"},"b":1.50}}""";
        var read = WatchedEvent.Parse(Encoding.UTF8.GetBytes(line));
        Assert.Equal(("ADDED", "n", "ä"), (read.Type, read.Namespace, read.Name));
        Assert.Equal(line + "\n", Encoding.UTF8.GetString(read.ToLine()));
    }

    private static WatchedEvent Make(string text) => new(
        text[0] switch { 'A' => "ADDED", 'M' => "MODIFIED", _ => "DELETED" }, "n", text[2..3], Encoding.UTF8.GetBytes(text[3..]), false);
}
