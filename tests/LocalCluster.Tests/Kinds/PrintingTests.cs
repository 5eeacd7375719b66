using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Tests.Kinds;

public sealed class PrintingTests
{
    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(599, "9m59s")]
    [InlineData(600, "10m")]
    [InlineData(3 * 3600 - 1, "179m")]
    [InlineData(3 * 3600, "3h")]
    [InlineData(8 * 3600 - 60, "7h59m")]
    [InlineData(47 * 3600, "47h")]
    [InlineData(50 * 3600, "2d2h")]
    [InlineData(9 * 86400, "9d")]
    [InlineData(3 * 365 * 86400 + 86400, "3y1d")]
    [InlineData(-5, "<invalid>")]
    public void Ages_are_short(int seconds, string text) => Assert.Equal(text, HumanDuration.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("""{"phase":"Pending"}""", "Pending", "0/1")]
    [InlineData("""{"phase":"Running","containerStatuses":[{"ready":true,"state":{"running":{}}}]}""", "Running", "1/1")]
    [InlineData("""{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull"}}}]}""", "ErrImagePull", "0/1")]
    [InlineData("""{"phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"reason":"Completed","exitCode":0}}}]}""", "Completed", "0/1")]
    [InlineData("""{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":3}}}]}""", "ExitCode:3", "0/1")]
    [InlineData("""{"phase":"Failed","reason":"Evicted"}""", "Evicted", "0/1")]
    [InlineData("""{"phase":"Pending","initContainerStatuses":[{"state":{"running":{}}}]}""", "Init:0/1", "0/1")]
    [InlineData("""{"phase":"Pending","initContainerStatuses":[{"state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}""", "Init:Error", "0/1")]
    public void A_pod_is_one_word(string status, string word, string ready)
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["spec"] = JsonNode.Parse("""{"containers":[{"name":"a"}],"initContainers":[{"name":"i"}]}"""),
            ["status"] = JsonNode.Parse(status),
        };
        Assert.Equal(word, PodPrinter.Status(pod));
        Assert.Equal(ready, PodPrinter.Ready(pod));
        pod["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        Assert.Equal("Terminating", PodPrinter.Status(pod));
    }

    [Theory]
    [InlineData(".spec.a", "1")]
    [InlineData("{.spec.a}", "1")]
    [InlineData(".spec.list[1].n", "y")]
    [InlineData(".spec.list[-1].n", "y")]
    [InlineData(".spec.list[-1:].n", "y")]
    [InlineData(".spec.list[0:1].n", "x")]
    [InlineData(".spec.list[:].n", "x,y")]
    [InlineData(".spec.list[7].n", "")]
    [InlineData(".spec.absent[-1:].n", "")]
    [InlineData(".spec.list[*].n", "x,y")]
    [InlineData(".spec.list[?(@.n==\"y\")].v", "2")]
    [InlineData(".metadata.labels.example\\.com/a", "b")]
    [InlineData(".metadata.labels['example.com/a']", "b")]
    [InlineData(".spec.absent.deep", "")]
    public void Json_paths_find(string path, string found)
    {
        var obj = JsonNode.Parse("""
            {"metadata":{"labels":{"example.com/a":"b"}},"spec":{"a":1,"list":[{"n":"x","v":1},{"n":"y","v":2}]}}
            """)!;
        Assert.Equal(found, string.Join(',', JsonPath.Parse(path).Select(obj).Select(node => node.ToString())));
    }

    [Theory]
    [InlineData("spec")]
    [InlineData(".a[")]
    [InlineData(".a[?(@.b>1)]")]
    public void Json_paths_of_other_forms_are_refused(string path) => Assert.Throws<FormatException>(() => JsonPath.Parse(path));
}
