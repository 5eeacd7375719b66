using Amazon.Runtime;
using Graft.Sources.Network;

namespace Graft.Sources.S3;

/// <summary>
/// Gives Amazon's client connections that keep the address rules, and refuses its redirects: each would be signed anew for a host that
/// nobody named.
/// </summary>
internal sealed class GuardedFactory(AddressRules rules, TransferOptions transfer) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(new NoRedirects { InnerHandler = GuardedSockets.Handler(rules, transfer) }) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    private sealed class NoRedirects : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            if ((int)answer.StatusCode is < 300 or >= 400 || answer.StatusCode == System.Net.HttpStatusCode.NotModified) return answer;
            var region = answer.Headers.TryGetValues("x-amz-bucket-region", out var values) ? values.First() : null;
            answer.Dispose();
            throw new SourceException(SourceFault.Refused, region is null
                ? $"{request.RequestUri!.Host} redirects to another host, which is not followed; give the bucket's own endpoint and region"
                : $"the bucket is in the region '{Cache.Names.Printable(region)}'; set AWS_REGION in its credentials");
        }
    }
}
