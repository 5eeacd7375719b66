using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using k8s;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>How the server is reached. Each client has a connection of its own, as each program that speaks to a cluster has.</summary>
internal sealed class ScaleConnection
{
    private readonly Uri _address;
    private readonly string _token;
    private readonly X509Certificate2Collection _trusted;

    private ScaleConnection(KubernetesClientConfiguration configuration) =>
        (_address, _token, _trusted) = (new Uri(configuration.Host), configuration.AccessToken, configuration.SslCaCerts);

    public static ScaleConnection Of(string kubeconfig) => new(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));

    public HttpClient Open()
    {
        var handler = new SocketsHttpHandler { InitialHttp2StreamWindowSize = 1 << 20 };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is not null && _trusted.Any(trusted => trusted.GetCertHashString() == certificate.GetCertHashString());
        var client = new HttpClient(handler)
        {
            BaseAddress = _address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        client.DefaultRequestHeaders.UserAgent.ParseAdd("graft-bench/1");
        return client;
    }
}
