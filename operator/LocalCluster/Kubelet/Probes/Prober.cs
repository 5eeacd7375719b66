using System.Globalization;
using System.Net.Sockets;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Probes;

internal readonly record struct ProbeResult(bool Success, string Message);

/// <summary>Asks a container once: over HTTP, by opening a connection, or by running a command beside it.</summary>
/// <param name="execute">Runs a command in the container's surroundings: exit code, or null when it took too long.</param>
internal sealed class Prober(V1Container container, string podIp, HttpClient http, Func<IReadOnlyList<string>, CancellationToken, Task<int>> execute)
{
    public async Task<ProbeResult> AskAsync(V1Probe probe, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(Math.Max(1, probe.TimeoutSeconds ?? 1)));
        try
        {
            if (probe.HttpGet is { } get) return await HttpAsync(get, limit.Token).ConfigureAwait(false);
            if (probe.TcpSocket is { } tcp) return await ConnectAsync(tcp, limit.Token).ConfigureAwait(false);
            if (probe.Exec is { } exec) return await ExecuteAsync(exec, limit.Token).ConfigureAwait(false);
            return new ProbeResult(false, "this kind of probe does not exist on this machine (httpGet, tcpSocket and exec do)");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new ProbeResult(false, $"no answer within {probe.TimeoutSeconds ?? 1} s");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or UriFormatException or IOException)
        {
            return new ProbeResult(false, e.Message);
        }
    }

    private async Task<ProbeResult> HttpAsync(V1HTTPGetAction get, CancellationToken cancel)
    {
        var path = get.Path is { Length: > 0 } p ? p.StartsWith('/') ? p : "/" + p : "/";
        var address = new Uri($"{(get.Scheme ?? "HTTP").ToLowerInvariant()}://{get.Host ?? podIp}:{Port(get.Port.Value)}{path}");
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        foreach (var header in get.HttpHeaders ?? []) request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
        var code = (int)answer.StatusCode;
        return code is >= 200 and < 400
            ? new ProbeResult(true, "")
            : new ProbeResult(false, string.Create(CultureInfo.InvariantCulture, $"HTTP probe failed with statuscode: {code}"));
    }

    private async Task<ProbeResult> ConnectAsync(V1TCPSocketAction tcp, CancellationToken cancel)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(tcp.Host ?? podIp, Port(tcp.Port.Value), cancel).ConfigureAwait(false);
        return new ProbeResult(true, "");
    }

    private async Task<ProbeResult> ExecuteAsync(V1ExecAction exec, CancellationToken cancel)
    {
        var code = await execute([.. exec.Command], cancel).ConfigureAwait(false);
        return new ProbeResult(code == 0, string.Create(CultureInfo.InvariantCulture, $"command exited with {code}"));
    }

    private int Port(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : container.Ports?.FirstOrDefault(p => p.Name == value)?.ContainerPort ?? throw new IOException($"the container has no port named {value}");
}
