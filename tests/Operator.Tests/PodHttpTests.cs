using System.Net;
using Graft.Operator.Pods;
using Graft.Runtime;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Graft.Operator.Tests;

/// <summary>A program that stands for one in a pod, reached both ways.</summary>
public sealed class PodHttpTests : IAsyncLifetime
{
    private readonly WebApplication _program = Build();
    private int _port;

    public async Task InitializeAsync()
    {
        _program.MapGet("/small", () => "{}");
        _program.MapGet("/chunked", Endless);
        _program.MapPost("/chunked", Endless);
        _program.MapGet("/declared", (HttpContext http) =>
        {
            http.Response.ContentLength = 1L << 40;
            return Endless(http);
        });
        _program.MapGet("/error", (HttpContext http) => { http.Response.StatusCode = 503; return http.Response.WriteAsync("busy"); });
        _program.MapGet("/status", (HttpContext http) =>
        {
            http.Response.StatusCode = 403;
            return http.Response.WriteAsync(
                """{"kind":"Status","reason":"Forbidden","message":"cannot get resource pods/proxy","code":403}""");
        });
        _program.MapGet("/broken", async (HttpContext http) =>
        {
            http.Response.ContentLength = 100;
            await http.Response.WriteAsync("half");
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        // What a pod's proxy path is in an API server; the program answers for both.
        _program.Use((http, next) =>
        {
            var path = http.Request.Path.Value!;
            var at = path.IndexOf("/proxy/", StringComparison.Ordinal);
            if (at >= 0) http.Request.Path = path[(at + "/proxy".Length)..];
            return next(http);
        });
        _program.UseRouting();
        await _program.StartAsync();
        _port = new Uri(_program.Urls.First()).Port;
    }

    public async Task DisposeAsync() => await _program.DisposeAsync();

    private static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        return builder.Build();
    }

    private static async Task Endless(HttpContext http)
    {
        var chunk = new byte[64 << 10];
        Array.Fill(chunk, (byte)' ');
        while (!http.RequestAborted.IsCancellationRequested) await http.Response.Body.WriteAsync(chunk, http.RequestAborted);
    }

    private async Task<PodAnswer> SendAsync(bool proxy, string path, string? json = null)
    {
        var pod = Make.ServerPod("a");
        pod.Status.PodIP = "127.0.0.1";
        using var client = new ApiClient(new KubernetesClientConfiguration { Host = $"http://127.0.0.1:{_port}" });
        using var direct = new DirectPodHttp();
        IPodHttp http = proxy ? new ProxyPodHttp(client) : direct;
        return await http.SendAsync(pod, _port, path, json, TimeSpan.FromSeconds(20), default);
    }

    [Theory]
    [InlineData(false, "/chunked", null)]
    [InlineData(false, "/declared", null)]
    [InlineData(false, "/chunked", "{}")]
    [InlineData(true, "/chunked", null)]
    [InlineData(true, "/declared", null)]
    [InlineData(true, "/chunked", "{}")]
    public async Task An_answer_without_end_is_given_up_before_it_fills_the_memory(bool proxy, string path, string? json)
    {
        var error = await Assert.ThrowsAsync<PodUnreachableException>(() => SendAsync(proxy, path, json));
        Assert.Contains($"{IPodHttp.MaxAnswerBytes}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_breaks_within_an_answer_is_no_answer(bool proxy) =>
        await Assert.ThrowsAsync<PodUnreachableException>(() => SendAsync(proxy, "/broken"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_small_answer_and_an_error_come_as_they_are(bool proxy)
    {
        Assert.Equal(new PodAnswer(200, "{}"), await SendAsync(proxy, "/small"));
        Assert.Equal(new PodAnswer(503, "busy"), await SendAsync(proxy, "/error"));
    }

    [Fact]
    public async Task A_refusal_of_the_API_server_is_not_the_pods_answer()
    {
        var error = await Assert.ThrowsAsync<PodUnreachableException>(() => SendAsync(proxy: true, "/status"));
        Assert.Contains("cannot get resource pods/proxy", error.Message, StringComparison.Ordinal);
    }
}
