using Graft.Sources.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Graft.Sources.Tests.Network;

public sealed class RedirectTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[fe80::1]/")]
    [InlineData("http://[::ffff:a9fe:a9fe]/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://localhost/x")]
    [InlineData("//[no-address")]
    public async Task A_redirect_to_an_address_that_is_never_asked_is_not_followed(string location)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context => Task.FromResult(Redirect(context, location));

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), "hf://org/model");

        Assert.Equal(SourceFault.Refused, failure.Fault);
    }

    [Fact]
    public async Task A_second_redirect_is_checked_as_the_first_is()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfContent = (context, _) =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = "http://169.254.169.254/";
            return Task.FromResult(true);
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), "hf://org/model");

        Assert.Equal(SourceFault.Refused, failure.Fault);
    }

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfContent = (context, _) =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = context.Request.Path.Value;
            return Task.FromResult(true);
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), "hf://org/model");

        Assert.Contains("redirects", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signed_address_never_stands_in_a_message()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfContent = (context, _) =>
        {
            context.Response.StatusCode = 400;
            return Task.FromResult(true);
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), "hf://org/model");

        Assert.DoesNotContain("signature", failure.ToString(), StringComparison.Ordinal);
    }

    private static bool Redirect(HttpContext context, string location)
    {
        if (context.Request.Method != "GET" || !context.Request.Path.Value!
            .EndsWith("model.safetensors", StringComparison.Ordinal)) return false;
        context.Response.StatusCode = 302;
        context.Response.Headers.Location = location;
        return true;
    }
}
