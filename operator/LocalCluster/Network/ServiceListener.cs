using System.Net;
using System.Net.Sockets;

namespace Graft.LocalCluster.Network;

/// <summary>One address and port that a Service answers on, and the pods behind it.</summary>
/// <param name="Backends">Addresses of ready pods; none refuses connections as soon as they come.</param>
internal sealed record ServicePort(IPEndPoint Address, IReadOnlyList<IPEndPoint> Backends);

/// <summary>
/// Takes connections at a Service's address and passes them on to its ready pods in turn, byte for byte. What a program on a
/// cluster would see through kube-proxy, this machine's programs see here.
/// </summary>
internal sealed class ServiceListener : IAsyncDisposable
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile IReadOnlyList<IPEndPoint> _backends;
    private int _turn;

    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public ServiceListener(ServicePort port)
    {
        _backends = port.Backends;
        _listener = new TcpListener(port.Address);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public void Update(IReadOnlyList<IPEndPoint> backends) => _backends = backends;

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                _ = ServeAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // That connection was over before it was taken.
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var backend = await ConnectAsync().ConfigureAwait(false);
        if (backend is null)
        {
            // No pod is ready: a reset, as from a port that nobody listens on.
            client.LingerState = new LingerOption(true, 0);
            return;
        }
        client.NoDelay = backend.NoDelay = true;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var there = CopyAsync(client, backend, over);
        var back = CopyAsync(backend, client, over);
        await Task.WhenAll(there, back).ConfigureAwait(false);
    }

    /// <summary>The next pod in turn that takes the connection.</summary>
    private async Task<TcpClient?> ConnectAsync()
    {
        var backends = _backends;
        for (var i = 0; i < backends.Count; i++)
        {
            var backend = new TcpClient();
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(ConnectPatience);
                var turn = (uint)Interlocked.Increment(ref _turn);
                await backend.ConnectAsync(backends[(int)(turn % (uint)backends.Count)], limit.Token).ConfigureAwait(false);
                return backend;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                backend.Dispose();
                if (_stop.IsCancellationRequested) return null;
            }
        }
        return null;
    }

    /// <summary>Copies one direction to its end, and tells the other side that nothing more comes; an error ends both directions.</summary>
    private static async Task CopyAsync(TcpClient from, TcpClient to, CancellationTokenSource over)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), over.Token).ConfigureAwait(false);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        _stop.Dispose();
    }
}
