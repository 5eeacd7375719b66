using System.Net;
using System.Net.Sockets;

namespace Graft.Sources.Network;

/// <summary>
/// Connections that are only made to addresses that the rules allow. The check sits where the socket is opened, so that it holds for
/// each redirect, and a name cannot answer with another address after it was checked.
/// </summary>
internal static class GuardedSockets
{
    /// <summary>
    /// Redirects are not followed here, because whoever follows one decides about credentials. No proxy: it would hide the address.
    /// </summary>
    public static SocketsHttpHandler Handler(AddressRules rules, TransferOptions transfer) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxConnectionsPerServer = Math.Max(2, transfer.Connections),
        MaxResponseHeadersLength = 64,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = transfer.IdleTimeout,
        ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, rules, cancellation),
    };

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, AddressRules rules, CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellation);
        var refusals = addresses.Select(a => (Address: a, Reason: rules.Refusal(a))).ToList();
        var good = refusals.Where(r => r.Reason is null).Select(r => r.Address).ToArray();
        if (good.Length == 0)
        {
            throw new SourceException(SourceFault.Refused,
                refusals.Count == 0 ? $"{target.Host} has no address" : $"{target.Host}: {refusals[0].Reason}");
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(good, target.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
