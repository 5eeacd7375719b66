using System.Net;
using System.Text;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Pods;

/// <summary>An answer of a program in a pod, whatever its status code.</summary>
internal sealed record PodAnswer(int Status, string Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>HTTP to a program in a pod.</summary>
internal interface IPodHttp
{
    /// <summary>Progress and lists of adapters are kilobytes. A program that says more is not the one that was meant.</summary>
    const int MaxAnswerBytes = 1 << 20;

    /// <summary>GET when <paramref name="json"/> is null, else POST of it.</summary>
    /// <exception cref="PodUnreachableException">
    /// No answer within <paramref name="timeout"/>, or one of more than <see cref="MaxAnswerBytes"/>.
    /// </exception>
    Task<PodAnswer> SendAsync(V1Pod pod, int port, string path, string? json, TimeSpan timeout, CancellationToken cancellation);
}

internal sealed class PodUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>By the pod's own address.</summary>
internal sealed class DirectPodHttp : IPodHttp, IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        MaxResponseContentBufferSize = IPodHttp.MaxAnswerBytes,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public void Dispose() => _http.Dispose();

    public async Task<PodAnswer> SendAsync(V1Pod pod, int port, string path, string? json, TimeSpan timeout, CancellationToken cancellation)
    {
        if (pod.Status?.PodIP is not { Length: > 0 } address) throw new PodUnreachableException("the pod has no address yet");
        var host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        using var request = new HttpRequestMessage(json is null ? HttpMethod.Get : HttpMethod.Post, new Uri($"http://{host}:{port}{path}"));
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return await PodTimeout.Within(timeout, async token =>
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, token);
            return new PodAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(token));
        }, cancellation);
    }
}

/// <summary>Through the API server.</summary>
internal sealed class ProxyPodHttp(ApiClient client) : IPodHttp
{
    public Task<PodAnswer> SendAsync(V1Pod pod, int port, string path, string? json, TimeSpan timeout, CancellationToken cancellation) =>
        PodTimeout.Within(timeout, async token =>
        {
            var (name, ns) = (pod.Metadata.Name, pod.Metadata.NamespaceProperty);
            try
            {
                var body = json is null
                    ? await client.PodProxyGetAsync(name, ns, port, path, IPodHttp.MaxAnswerBytes, token)
                    : await client.PodProxyPostAsync(name, ns, port, path, Encoding.UTF8.GetBytes(json), IPodHttp.MaxAnswerBytes, token);
                return new PodAnswer((int)HttpStatusCode.OK, Encoding.UTF8.GetString(body));
            }
            // A Status is the API server's own: the pod was not asked.
            catch (ApiException e) when (e.Reason.Length > 0)
            {
                throw new PodUnreachableException(e.Message, e);
            }
            catch (ApiException e)
            {
                return new PodAnswer((int)e.StatusCode, e.Status.Message);
            }
        }, cancellation);
}

internal static class PodTimeout
{
    public static async Task<PodAnswer> Within(
        TimeSpan timeout, Func<CancellationToken, Task<PodAnswer>> send, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        try
        {
            return await send(limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new PodUnreachableException($"no answer within {timeout.TotalSeconds:0.#} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            throw new PodUnreachableException(e.Message, e);
        }
    }
}
