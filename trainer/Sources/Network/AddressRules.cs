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
        (IPNetwork.Parse("2001::/32"), "a Teredo tunnel to an IPv4 address"),
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

    /// <summary>
    /// For translators of one's own (RFC 8215). How long their prefix is, and so where in it the IPv4 address stands, only they know
    /// (RFC 6052, section 2.2): for 48, 56, 64 and 96 bits at these bytes.
    /// </summary>
    private static readonly IPNetwork LocalTranslation = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly int[][] TranslatedAt = [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12], [12, 13, 14, 15]];

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
        if (Forbidden(address) is { } forbidden) return forbidden;
        if (!IsLoopback(address))
        {
            if (Carried(address) is { } inner && Refusal(inner) is { } reason) return $"{address} stands for {reason}";
            if (PerhapsCarried(address).Select(Forbidden).FirstOrDefault(r => r is not null) is { } perhaps)
                return $"{address} may stand for {perhaps}";
        }
        return allowed.Count == 0 || allowed.Any(n => n.Contains(address))
            ? null
            : $"{address} lies outside the networks that the administrator allows for sources";
    }

    private string? Forbidden(IPAddress address)
    {
        if (Never.FirstOrDefault(n => n.Network.Contains(address)).Name is { } name) return $"{address} is {name}, which is never asked";
        return IsLoopback(address) && !allowLoopback ? $"{address} is this machine, which is asked in local mode only" : null;
    }

    private static bool IsLoopback(IPAddress address) => Loopback.Any(n => n.Contains(address));

    private static IPAddress? Carried(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        foreach (var (prefix, at) in Carriers)
        {
            if (prefix.Contains(address)) return new IPAddress(address.GetAddressBytes().AsSpan(at, 4));
        }
        return null;
    }

    /// <summary>IPv4 addresses that an IPv6 address is read as by some who forward it.</summary>
    private static IEnumerable<IPAddress> PerhapsCarried(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return [];
        var bytes = address.GetAddressBytes();
        if (LocalTranslation.Contains(address))
        {
            // A reading that begins with 0, or with 224 and more, is not where a connection leads to, but the wrong one of the four.
            return TranslatedAt.Where(at => bytes[at[0]] is > 0 and < 224).Select(at => new IPAddress([.. at.Select(i => bytes[i])]));
        }
        // ISATAP's interface identifier below any prefix (RFC 5214, section 6.1).
        return bytes.AsSpan(8, 4) is [0 or 2, 0, 0x5e, 0xfe] ? [new IPAddress(bytes.AsSpan(12, 4))] : [];
    }
}
