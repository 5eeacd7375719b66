using System.Net;
using System.Net.Sockets;

namespace Graft.LocalCluster.Tests.Api;

public sealed class AccessTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task Without_the_token_nothing_is_told(string? token)
    {
        using var http = cluster.NewHttp(token);
        foreach (var path in (string[])["/api/v1/namespaces", "/apis", "/openapi/v3", "/version", "/absent"])
        {
            using var response = await http.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Contains("\"reason\":\"Unauthorized\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        Assert.Equal("ok", await http.GetStringAsync("/healthz"));
    }

    [Theory]
    [InlineData("evil.example.com", HttpStatusCode.Forbidden)]
    [InlineData("192.0.2.1", HttpStatusCode.Forbidden)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.3.2.1", HttpStatusCode.OK)]
    public async Task Only_loopback_names_are_answered(string host, HttpStatusCode code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/namespaces");
        request.Headers.Host = host;
        using var response = await cluster.Http.SendAsync(request);
        Assert.Equal(code, response.StatusCode);
    }

    [Fact]
    public async Task No_web_page_of_another_origin_is_admitted()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/namespaces");
        request.Headers.TryAddWithoutValidation("Origin", "https://example.com");
        using var response = await cluster.Http.SendAsync(request);
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_kubeconfig_is_for_its_owner_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "file modes are Unix's");
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(cluster.Cluster.KubeconfigPath));
    }

    [Fact]
    public async Task An_address_that_others_reach_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(new() { StateFolder = Path.GetTempPath(), Address = IPAddress.Any }));

    [Fact]
    public async Task A_port_in_use_is_an_error_that_names_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var state = Directory.CreateTempSubdirectory("graft-api-test-");
        var error = await Assert.ThrowsAsync<IOException>(() => StartAsync(new() { StateFolder = state.FullName, Port = port }));
        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(state.FullName, "kubeconfig")));
        state.Delete(recursive: true);
    }

    private static Task<LocalCluster> StartAsync(LocalClusterOptions options) => LocalCluster.StartAsync(options);
}
