using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Kubelet.Logs;

namespace Graft.LocalCluster.Tests.Api;

public sealed class PodConnectionTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task Logs_are_sent_whole_or_in_part()
    {
        var (path, _) = await PodAsync("""{"running":{}}""", ["one", "two", "three"]);
        Assert.Equal("one\ntwo\nthree\n", await cluster.Http.GetStringAsync(path + "/log"));
        Assert.Equal("three\n", await cluster.Http.GetStringAsync(path + "/log?tailLines=1"));
        Assert.Equal("", await cluster.Http.GetStringAsync(path + "/log?tailLines=0"));
        Assert.Equal("one\nt", await cluster.Http.GetStringAsync(path + "/log?limitBytes=5"));
        Assert.Equal("two\nthree\n", await cluster.Http.GetStringAsync(path + "/log?sinceTime=2026-01-02T03:04:06Z"));
        Assert.Equal("2026-01-02T03:04:07.0000000Z three\n",
            await cluster.Http.GetStringAsync(path + "/log?tailLines=1&timestamps=true&container=main"));
    }

    [Fact]
    public async Task Followed_logs_come_as_they_are_written_and_end_with_the_container()
    {
        var (path, file) = await PodAsync("""{"running":{}}""", ["one"]);
        using var response = await cluster.RawAsync(HttpMethod.Get, path + "/log?follow=true");
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("one", await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        await File.AppendAllTextAsync(file, Record(1, "two"));
        Assert.Equal("two", await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        await File.AppendAllTextAsync(file, Record(2, "last"));
        await SetStateAsync(path, """{"terminated":{"exitCode":0}}""");
        Assert.Equal("last", await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Null(await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData("?container=other", "container other is not valid for pod")]
    [InlineData("?previous=true", "previous terminated container \"main\" in pod")]
    [InlineData("?tailLines=x", "tailLines: Invalid value: \"x\"")]
    public async Task Logs_that_are_not_there_are_refused(string query, string message)
    {
        var (path, _) = await PodAsync("""{"running":{}}""", []);
        var (code, status) = await cluster.GetAsync(path + "/log" + query);
        Assert.Equal(400, code);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_waits_says_for_what()
    {
        var (path, _) = await PodAsync("""{"waiting":{"reason":"ErrImagePull"}}""", []);
        var (code, status) = await cluster.GetAsync(path + "/log");
        Assert.Equal(400, code);
        Assert.EndsWith("is waiting to start: ErrImagePull", status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_proxy_carries_requests_to_the_pod_without_the_token()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.0.0.1"), 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (path, _) = await PodAsync("""{"running":{}}""", []);
        await cluster.PatchAsync(path + "/status", """{"status":{"podIP":"127.0.0.1"}}""", "merge");
        var answering = AnswerAsync(listener);
        var request = cluster.RawAsync(HttpMethod.Post, $"{path}:{port}/proxy/v1/echo%20it?a=b", "{\"x\":1}");
        var received = await answering.WaitAsync(TimeSpan.FromSeconds(10));
        using var response = await request;
        Assert.Equal("pong", await response.Content.ReadAsStringAsync());
        Assert.StartsWith("POST /v1/echo%20it?a=b HTTP/1.1", received, StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization", received, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("{\"x\":1}", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", 503, "error trying to reach service")]
    [InlineData("192.0.2.1", 400, "address not allowed")]
    [InlineData("", 503, "has no address yet")]
    public async Task The_proxy_says_why_it_cannot(string podIp, int code, string message)
    {
        var (path, _) = await PodAsync("""{"running":{}}""", []);
        await cluster.PatchAsync(path + "/status", $$$"""{"status":{"podIP":"{{{podIp}}}"}}""", "merge");
        var (actual, status) = await cluster.GetAsync(path + ":1/proxy/");
        Assert.Equal(code, actual);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exec")]
    [InlineData("attach")]
    [InlineData("portforward")]
    public async Task What_needs_a_terminal_in_the_pod_is_not_available(string what)
    {
        var (path, _) = await PodAsync("""{"running":{}}""", []);
        var (code, status) = await cluster.PostAsync($"{path}/{what}", "{}");
        Assert.Equal(404, code);
        Assert.Contains("not available locally", status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<(string Path, string LogFile)> PodAsync(string state, string[] lines)
    {
        var name = cluster.Name("pod");
        var path = "/api/v1/namespaces/default/pods/" + name;
        var (_, pod) = await cluster.PostAsync("/api/v1/namespaces/default/pods", Make.Pod(name));
        var file = new LogFiles(Path.GetDirectoryName(cluster.Cluster.KubeconfigPath)!).File(pod["metadata"]!["uid"]!.GetValue<string>(),
            "main", 0);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, string.Concat(lines.Select((line, i) => Record(i, line))));
        await SetStateAsync(path, state);
        return (path, file);
    }

    private Task<(int Code, JsonNode Body)> SetStateAsync(string path, string state) =>
        cluster.PatchAsync(path + "/status", $$$"""{"status":{"containerStatuses":[{"name":"main","restartCount":0,"ready":false,"image":"x","imageID":"","state":{{{state}}}}]}}""", "merge");

    private static string Record(int second, string text) => LogLine.Prefix(Start.AddSeconds(second), "stdout", false) + text + "\n";

    private static async Task<string> AnswerAsync(TcpListener listener)
    {
        using var connection = await listener.AcceptTcpClientAsync();
        var stream = connection.GetStream();
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (!received.ToString().EndsWith('}'))
            received.Append(Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer)));
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npong"u8.ToArray());
        return received.ToString();
    }
}
