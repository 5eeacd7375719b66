using System.Net;
using System.Net.Sockets;

namespace Graft.Sources.Network;

/// <summary>
/// Which addresses a source may lie at. Manifests are written by people who may not see the cluster's inside, so what a cloud or a
/// node tells only its own machines is never asked. Checked on the address that is connected to, after DNS.
/// </summary>
public sealed class AddressRules
{
    /// <summary>Link-local addresses, where clouds answer with a machine's credentials, and their other addresses for that.</summary>
    private static readonly (IPNetwork Network, string Name)[] Never =
    [
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("fd00:ec2::254/128"), "a cloud's metadata"),
        (IPNetwork.Parse("fd00:ec2::23/128"), "a cloud's metadata"),
        (IPNetwork.Parse("fd20:ce::254/128"), "a cloud's metadata"),
        (IPNetwork.Parse("100.100.100.200/32"), "a cloud's metadata"),
        (IPNetwork.Parse("168.63.129.16/32"), "a cloud's metadata"),
        (IPNetwork.Parse("192.0.0.192/32"), "a cloud's metadata"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("ff00::/8"), "multicast"),
        (IPNetwork.Parse("255.255.255.255/32"), "broadcast"),
    ];

    /// <summary>The unspecified address leads to this machine as well.</summary>
    private static readonly IPNetwork[] Loopback =
    [
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("::1/128"), IPNetwork.Parse("::/128"),
    ];

    /// <summary>Prefixes whose addresses carry an IPv4 address, and at which byte.</summary>
    private static readonly (IPNetwork Prefix, int At)[] Carriers =
    [
        (IPNetwork.Parse("::/96"), 12), (IPNetwork.Parse("::ffff:0:0:0/96"), 12),
        (IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("2002::/16"), 2),
    ];

    private readonly IReadOnlyList<IPNetwork> allowed;
    private readonly bool allowLoopback;

    private AddressRules(IReadOnlyList<IPNetwork> allowed, bool allowLoopback) =>
        (this.allowed, this.allowLoopback) = (allowed, allowLoopback);

    /// <summary>Everything but what is always refused, and this machine.</summary>
    public static AddressRules Default { get; } = new([], allowLoopback: false);

    /// <summary>As <see cref="Default"/>, and this machine too.</summary>
    public static AddressRules WithLoopback { get; } = new([], allowLoopback: true);

    /// <param name="networks">CIDRs; when there are any, an address must lie in one of them.</param>
    /// <exception cref="SourceException"><see cref="SourceFault.Invalid"/>; the message begins with <paramref name="name"/>.</exception>
    public static AddressRules Parse(IEnumerable<string> networks, bool allowLoopback, string name)
    {
        var parsed = new List<IPNetwork>();
        foreach (var text in networks)
        {
            if (!IPNetwork.TryParse(text, out var network))
                throw new SourceException(SourceFault.Invalid, $"{name}: '{text}' is no network; write it like 10.0.0.0/8 or fd00::/8");
            parsed.Add(network);
        }
        return new(parsed, allowLoopback);
    }

    /// <summary>Why <paramref name="address"/> may not be connected to; null when it may.</summary>
    public string? Refusal(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (Never.FirstOrDefault(n => n.Network.Contains(address)).Name is { } name) return $"{address} is {name}, which is never asked";
        var loopback = Loopback.Any(n => n.Contains(address));
        if (loopback && !allowLoopback) return $"{address} is this machine, which is asked in local mode only";
        if (!loopback && Carried(address) is { } inner && Refusal(inner) is { } reason) return $"{address} stands for {reason}";
        return allowed.Count == 0 || allowed.Any(n => n.Contains(address))
            ? null
            : $"{address} lies outside the networks that the administrator allows for sources";
    }

    private static IPAddress? Carried(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        foreach (var (prefix, at) in Carriers)
        {
            if (prefix.Contains(address)) return new IPAddress(address.GetAddressBytes().AsSpan(at, 4));
        }
        return null;
    }
}
