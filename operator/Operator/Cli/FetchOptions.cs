using System.CommandLine;
using System.Net;
using Graft.Operator.Sources;

namespace Graft.Operator.Cli;

/// <summary>How the pods of <c>run</c> and <c>local</c> fetch sources.</summary>
internal sealed class FetchOptions
{
    private readonly Option<string?> hub = Address("--hub-endpoint", "Mirror to fetch hf:// from; absent: https://huggingface.co.");
    private readonly Option<string?> s3 = Address("--s3-endpoint", "Where s3:// is, unless its credentials say so; absent: Amazon's.");
    private readonly Option<string?> region =
        new("--s3-region") { Description = "Region of s3://, unless its credentials say so.", HelpName = "NAME" };
    private readonly Option<bool> offline = new("--offline") { Description = "Pods fetch nothing; their cache has it, or they fail." };
    private readonly Option<string[]> networks = new("--source-network")
    {
        Description = "Sources may lie in this network only; may be given several times.",
        HelpName = "CIDR",
    };
    private readonly Option<string[]> plainHttp = new("--plain-http-registry")
    {
        Description = "Registry that oci:// speaks to without TLS; may be given several times.",
        HelpName = "HOST:PORT",
    };

    public FetchOptions() => networks.Validators.Add(result =>
    {
        foreach (var token in result.Tokens.Where(t => !IPNetwork.TryParse(t.Value, out _)))
            result.AddError($"--source-network '{token.Value}': write a network like 10.0.0.0/8 or fd00::/8");
    });

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { hub, s3, region, offline, networks, plainHttp }) command.Options.Add(option);
    }

    public FetchSettings Of(ParseResult parsed) => new()
    {
        HubEndpoint = parsed.GetValue(hub),
        S3Endpoint = parsed.GetValue(s3),
        S3Region = parsed.GetValue(region),
        Offline = parsed.GetValue(offline),
        Networks = parsed.GetValue(networks) ?? [],
        PlainHttpRegistries = parsed.GetValue(plainHttp) ?? [],
    };

    private static Option<string?> Address(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "URL" };
        option.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string?>();
            if (text is not null
                && !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0))
                result.AddError($"{name} '{text}': write https://HOST");
        });
        return option;
    }
}
