using System.Net;

namespace Graft.Contract.Tests;

public class LocalHostsTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.244.1.7", true)] // the API server's pod proxy names the pod's address
    [InlineData("[::1]", true)]
    [InlineData("localhost", true)]
    [InlineData("app.localhost", true)]
    [InlineData("support", true)]
    [InlineData("support.ml.svc", true)]
    [InlineData("support.ml.svc.cluster.local", true)]
    [InlineData("evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("127.0.0.1.nip.io", false)]
    [InlineData("svc.evil.example", false)]
    [InlineData("localhost.", false)]
    public void On_loopback_only_names_that_no_page_can_have_may_ask(string host, bool answered)
    {
        Assert.Equal(answered, LocalHosts.MayAsk(IPAddress.Loopback, host));
        Assert.Equal(answered, LocalHosts.MayAsk(IPAddress.Parse("127.3.2.1"), host));
        Assert.Equal(answered, LocalHosts.MayAsk(IPAddress.IPv6Loopback, host));
    }

    [Fact]
    public void A_pods_address_on_a_cluster_answers_to_every_name()
    {
        Assert.True(LocalHosts.MayAsk(IPAddress.Parse("10.244.1.7"), "models.example.org"));
        Assert.True(LocalHosts.MayAsk(IPAddress.Parse("fd00::7"), "models.example.org"));
    }
}
