using System.Net;
using Graft.Sources.Network;
using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.Network;

public class AddressRulesTests
{
    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.0.1")]
    [InlineData("fe80::1")]
    [InlineData("febf::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:169.254.169.254")]
    [InlineData("::169.254.169.254")]
    [InlineData("64:ff9b::169.254.169.254")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("64:ff9b:1::a9fe:a9fe")]
    [InlineData("64:ff9b:1:7:8:9:a9fe:a9fe")]
    [InlineData("64:ff9b:1:a9fe:a9:fe00::")]
    [InlineData("64:ff9b:1:a9:fe:a9fe::")]
    [InlineData("64:ff9b:1:1:a9:fea9:fe00:0")]
    [InlineData("2001::1")]
    [InlineData("2001:0:a9fe:a9fe::5601:5601")]
    [InlineData("2001:db8::5efe:169.254.169.254")]
    [InlineData("fd00::200:5efe:169.254.169.254")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("224.0.0.1")]
    [InlineData("ff02::1")]
    public void Link_local_and_metadata_addresses_are_refused_in_local_mode_too(string address)
    {
        Assert.NotNull(AddressRules.Default.Refusal(IPAddress.Parse(address)));
        Assert.NotNull(AddressRules.WithLoopback.Refusal(IPAddress.Parse(address)));
        Assert.NotNull(AddressRules.Parse(["0.0.0.0/0", "::/0"], allowLoopback: true, "x").Refusal(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.10")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::7f00:1")]
    [InlineData("fd00::5efe:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public void This_machine_is_refused_but_in_local_mode(string address)
    {
        Assert.NotNull(AddressRules.Default.Refusal(IPAddress.Parse(address)));
        Assert.Null(AddressRules.WithLoopback.Refusal(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("10.0.0.5")]
    [InlineData("192.168.1.1")]
    [InlineData("fd12::1")]
    [InlineData("18.172.1.1")]
    [InlineData("2600:9000::1")]
    [InlineData("64:ff9b::18.172.1.1")]
    [InlineData("64:ff9b:1::18.172.1.1")]
    [InlineData("64:ff9b:1::192.168.1.1")]
    [InlineData("64:ff9b:1:12ac:1:100::")]
    [InlineData("64:ff9b:1:12ac:f1:100::")]
    [InlineData("2001:db8::5efe:10.0.0.1")]
    [InlineData("2001:1::1")]
    public void A_clusters_own_and_public_addresses_are_allowed(string address) =>
        Assert.Null(AddressRules.Default.Refusal(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("11.0.0.1", false)]
    [InlineData("fd00::7", true)]
    [InlineData("2001:db8::1", false)]
    public void An_administrator_narrows_them_to_networks(string address, bool allowed)
    {
        var rules = AddressRules.Parse(["10.0.0.0/8", "fd00::/8"], allowLoopback: false, "x");
        Assert.Equal(allowed, rules.Refusal(IPAddress.Parse(address)) is null);
    }

    [Theory]
    [InlineData("10.0.0.0/")]
    [InlineData("ten")]
    [InlineData("10.0.0.0/33")]
    public void A_network_that_is_none_is_named(string text)
    {
        var error = Assert.Throws<SourceException>(() => AddressRules.Parse([text], false, "GRAFT_SOURCE_NETWORKS"));
        Assert.Contains($"GRAFT_SOURCE_NETWORKS: '{text}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://169.254.169.254")]
    [InlineData("http://[fe80::1]")]
    [InlineData("http://[::ffff:169.254.169.254]")]
    [InlineData("http://2852039166")]
    public async Task A_hub_at_an_address_that_is_never_asked_is_not_asked(string hub)
    {
        using var folder = new TempFolder();

        var failure = await Make.FailureAsync(Make.Options(folder, new Uri(hub)), "hf://org/model");

        Assert.Equal(SourceFault.Refused, failure.Fault);
        Assert.Contains("link-local", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_cluster_a_hub_on_this_machine_is_not_asked_by_name_either()
    {
        using var folder = new TempFolder();
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var options = Make.Options(folder, new Uri($"http://localhost:{hub.Address.Port}")) with { Addresses = AddressRules.Default };

        var failure = await Make.FailureAsync(options, "hf://org/model");

        Assert.Equal(SourceFault.Refused, failure.Fault);
        Assert.Empty(hub.HubRequests);
    }
}
