using System.Globalization;
using System.Net.Sockets;
using Graft.LocalCluster.Kubelet.Containers;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Probes;

internal readonly record struct ProbeResult(bool Success, string Message);

/// <summary>
/// Asks a container once: over HTTP or gRPC, by opening a connection, or by running a command beside it. Messages are those of
/// kubernetes/pkg/probe.
/// </summary>
internal sealed class Prober(V1Container container, string podIp, HttpClient http, Func<IReadOnlyList<string>, CancellationToken, Task<ExecResult>> execute)
{
    private const int MaxRedirects = 10;

    public async Task<ProbeResult> AskAsync(V1Probe probe, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var seconds = Math.Max(1, probe.TimeoutSeconds ?? 1);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            if (probe.HttpGet is { } get) return await HttpAsync(get, limit.Token).ConfigureAwait(false);
            if (probe.TcpSocket is { } tcp) return await ConnectAsync(tcp, limit.Token).ConfigureAwait(false);
            if (probe.Grpc is { } grpc)
                return await GrpcHealth.CheckAsync(http, podIp, grpc.Port, grpc.Service ?? "", limit.Token).ConfigureAwait(false);
            if (probe.Exec is { } exec) return await ExecuteAsync(exec, limit.Token).ConfigureAwait(false);
            return new ProbeResult(false, "missing probe handler");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new ProbeResult(false, Timeout(probe, seconds));
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or UriFormatException or IOException
            or System.ComponentModel.Win32Exception)
        {
            return new ProbeResult(false, e.InnerException is SocketException inner ? inner.Message : e.Message);
        }
    }

    private string Timeout(V1Probe probe, int seconds) => probe switch
    {
        { HttpGet: { } get } => $"Get \"{Address(get)}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        { TcpSocket: { } tcp } => $"dial tcp {tcp.Host ?? podIp}:{tcp.Port.Value}: i/o timeout",
        { Grpc: { } grpc } => $"timeout: failed to connect service \"{podIp}:{grpc.Port}\" within {seconds}s: context deadline exceeded",
        { Exec: { } exec } => $"command timed out: \"{string.Join(' ', exec.Command)}\" timed out after {seconds}s",
        _ => "",
    };

    private string Address(V1HTTPGetAction get)
    {
        using var request = HttpGet.Request(get, container, podIp);
        return request.RequestUri!.ToString();
    }

    private async Task<ProbeResult> HttpAsync(V1HTTPGetAction get, CancellationToken cancel)
    {
        Uri? next = null;
        for (var redirects = 0; ; redirects++)
        {
            using var request = HttpGet.Request(get, container, podIp);
            var asked = request.RequestUri!;
            if (next is not null) request.RequestUri = next;
            using var answer = await SendAsync(request, cancel).ConfigureAwait(false);
            var code = (int)answer.StatusCode;
            // Only redirects within the same host are followed; one that leads elsewhere counts as success.
            if (code is >= 300 and < 400 && answer.Headers.Location is { } location && redirects < MaxRedirects)
            {
                next = new Uri(request.RequestUri!, location);
                if (next.Host == asked.Host) continue;
            }
            return code is >= 200 and < 400
                ? new ProbeResult(true, "")
                : new ProbeResult(false, string.Create(CultureInfo.InvariantCulture, $"HTTP probe failed with statuscode: {code}"));
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            var (uri, host) = (request.RequestUri!, $"{request.RequestUri!.Host}:{request.RequestUri.Port}");
            throw new IOException($"Get \"{uri}\": dial tcp {host}: connect: connection refused", e);
        }
    }

    private async Task<ProbeResult> ConnectAsync(V1TCPSocketAction tcp, CancellationToken cancel)
    {
        using var client = new TcpClient();
        var (host, port) = (tcp.Host is { Length: > 0 } named ? named : podIp, HttpGet.Port(tcp.Port.Value, container));
        try
        {
            await client.ConnectAsync(host, port, cancel).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return new ProbeResult(false, $"dial tcp {host}:{port}: connect: connection refused");
        }
        return new ProbeResult(true, "");
    }

    private async Task<ProbeResult> ExecuteAsync(V1ExecAction exec, CancellationToken cancel)
    {
        var result = await execute([.. exec.Command], cancel).ConfigureAwait(false);
        return new ProbeResult(result.Code == 0, result.Output);
    }
}
