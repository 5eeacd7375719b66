using System.Net;
using System.Net.Sockets;

namespace Graft.Sources.Tests.Support;

/// <summary>Passes bytes on to a server of this machine, and breaks each of its first connections after so many bytes of answers.</summary>
internal sealed class BrokenWire : IDisposable
{
    private const int Breaks = 3;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private int broken;

    private BrokenWire() => listener.Start();

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public int Broken => broken;

    public static BrokenWire Start(int target, int breakAfter)
    {
        var wire = new BrokenWire();
        _ = wire.AcceptAsync(target, breakAfter);
        return wire;
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync(int target, int breakAfter)
    {
        while (!stop.IsCancellationRequested)
        {
            var client = await listener.AcceptTcpClientAsync(stop.Token);
            _ = PassAsync(client, target, breakAfter);
        }
    }

    private async Task PassAsync(TcpClient client, int target, int breakAfter)
    {
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(IPAddress.Loopback, target);
            var up = client.GetStream().CopyToAsync(server.GetStream(), stop.Token);
            var buffer = new byte[8192];
            var sent = 0;
            try
            {
                while (await server.GetStream().ReadAsync(buffer, stop.Token) is var count and > 0)
                {
                    await client.GetStream().WriteAsync(buffer.AsMemory(0, count), stop.Token);
                    sent += count;
                    if (sent > breakAfter && Interlocked.Increment(ref broken) <= Breaks) return;
                }
                await up;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // Either side is gone.
            }
        }
    }
}
