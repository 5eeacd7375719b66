using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Graft.Sources.Network;

namespace Graft.Sources.Oci;

/// <summary>
/// The registry's challenge and its answer: Basic, or a token from the server that the challenge names (the distribution
/// specification's token flow). A token is asked for once and kept while it is taken.
/// </summary>
internal sealed partial class OciAuthorization(SourceHttp http, OciLogin login) : IDisposable
{
    private const int MaxTokenBytes = 1 << 20;
    private readonly SemaphoreSlim gate = new(1);
    private volatile AuthenticationHeaderValue? current;

    /// <summary>Sends a request with what the registry asked for last, and once more when it asks for something else.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri uri, string what, Action<HttpRequestHeaders>? headers, CancellationToken cancellation)
    {
        var used = current;
        var answer = await http.SendAsync(method, uri, what, Redirects.All, used, headers, cancellation);
        // A 401 of another host is not this registry's word.
        if (answer.StatusCode != HttpStatusCode.Unauthorized
            || !EndpointUri.SameOrigin(uri, answer.RequestMessage!.RequestUri!)) return answer;
        using (answer)
        {
            await gate.WaitAsync(cancellation);
            try
            {
                if (current == used) current = await AnswerAsync(answer, uri, what, cancellation);
            }
            finally
            {
                gate.Release();
            }
        }
        return await http.SendAsync(method, uri, what, Redirects.All, current, headers, cancellation);
    }

    public void Dispose() => gate.Dispose();

    private async Task<AuthenticationHeaderValue?> AnswerAsync(
        HttpResponseMessage answer, Uri uri, string what, CancellationToken cancellation)
    {
        foreach (var challenge in answer.Headers.WwwAuthenticate)
        {
            if (string.Equals(challenge.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
                return login.Basic ?? throw Unauthorized($"{uri.Host} wants a login (credentialsRef)");
            if (!string.Equals(challenge.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase)) continue;
            var fields = Field().Matches(challenge.Parameter ?? "")
                .GroupBy(m => m.Groups[1].Value.ToLowerInvariant())
                .ToDictionary(g => g.Key, g => g.First().Groups[2].Value);
            if (!fields.TryGetValue("realm", out var realm) || !EndpointUri.TryParse(realm, out var server)) break;
            if (uri.Scheme == "https" && server.Scheme != "https")
                throw new SourceException(SourceFault.Refused, $"{what}: {uri.Host} sends logins to an address without TLS");
            return await TokenAsync(server, fields, what, cancellation);
        }
        throw Unauthorized($"{uri.Host} asks for an authorization that is not known here");

        SourceException Unauthorized(string why) => new(SourceFault.Unauthorized, $"{what}: {why}");
    }

    private async Task<AuthenticationHeaderValue> TokenAsync(
        Uri server, Dictionary<string, string> fields, string what, CancellationToken cancellation)
    {
        var query = string.Join('&', new[] { "service", "scope" }.Where(fields.ContainsKey)
            .Select(name => $"{name}={Uri.EscapeDataString(fields[name])}"));
        var address = new UriBuilder(server) { Query = query }.Uri;
        using var answer = await http.SendAsync(HttpMethod.Get, address, what, Redirects.SameOrigin, login.Basic, null, cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            var fault = Faults.Of(answer, what, http.Now);
            throw fault.Fault == SourceFault.Unauthorized
                ? new SourceException(SourceFault.Unauthorized, login.Basic is null
                    ? $"{what}: {server.Host} wants a login (credentialsRef)"
                    : $"{what}: {server.Host} does not take this login")
                : fault;
        }
        var body = await http.BodyAsync(answer, what, MaxTokenBytes, cancellation);
        try
        {
            var token = JsonSerializer.Deserialize(body, OciJson.Default.OciToken);
            if ((token?.Token ?? token?.AccessToken) is { Length: > 0 } text)
                return new("Bearer", CredentialFiles.Word(text, "the registry's token"));
        }
        catch (JsonException)
        {
            // The same message, which must not repeat the answer.
        }
        throw new SourceException(SourceFault.Unusable, $"{what}: {server.Host} answered without a token");
    }

    [GeneratedRegex("([A-Za-z]+)=\"([^\"]*)\"")]
    private static partial Regex Field();
}
