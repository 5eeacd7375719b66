using Graft.Contract;
using Graft.Sources.Network;

namespace Graft.Sources.Hub;

/// <summary>
/// The hub's answers in words that say what to do. It names its reason in <c>X-Error-Code</c>, and answers 401 to a stranger for what
/// does not exist as for what is private.
/// </summary>
internal static class HubErrors
{
    private const string Header = "X-Error-Code";

    public static SourceException Of(HttpResponseMessage answer, SourceUri.Hub uri, bool hasToken, DateTimeOffset now)
    {
        var code = answer.Headers.TryGetValues(Header, out var values) ? values.FirstOrDefault() : null;
        var host = answer.RequestMessage!.RequestUri!.Host;
        return code switch
        {
            "GatedRepo" => new(SourceFault.Unauthorized, hasToken
                ? $"the repository is gated; accept its conditions on {host} with the account of the token"
                : $"the repository is gated; accept its conditions on {host}, then give a token of that account (credentialsRef)"),
            "RevisionNotFound" => new(SourceFault.NotFound, $"the repository has no revision '{uri.Revision}'"),
            "EntryNotFound" => new(SourceFault.NotFound, "a file of the revision is not there any more"),
            "DisabledRepo" => new(SourceFault.Unauthorized, $"the repository is disabled on {host}"),
            _ => Faults.Of(answer.StatusCode) switch
            {
                SourceFault.Unauthorized when hasToken => new(SourceFault.Unauthorized,
                    $"{host} does not let this token read it; it may be wrong or expired, or lack the right to read this repository"),
                SourceFault.Unauthorized => new(SourceFault.Unauthorized,
                    $"{host} has no such public repository; check the name, or give a token if it is private (credentialsRef)"),
                SourceFault.NotFound => new(SourceFault.NotFound, $"{host} has no such repository, or no revision '{uri.Revision}' of it"),
                _ => Faults.Of(answer, uri.Repository, now),
            },
        };
    }
}
