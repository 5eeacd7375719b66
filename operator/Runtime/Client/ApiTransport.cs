using System.Net;
using System.Net.Http.Headers;
using k8s;

namespace Graft.Runtime;

/// <summary>
/// Sends requests over the HttpClient that KubernetesClient configured (TLS, credentials), repeats those that may be repeated,
/// and turns error answers into <see cref="ApiException"/>. Bodies are read asynchronously: reading them from the socket on a
/// pool thread starves the pool under a slow server.
/// </summary>
internal sealed class ApiTransport(Kubernetes kubernetes, ApiClientOptions options) : IDisposable
{
    private const int MaxErrorBytes = 1 << 20;

    private readonly Random _jitter = options.Jitter ?? Seeded.Random();
    private readonly Lock _jitterGate = new();

    public void Dispose() => kubernetes.Dispose();

    /// <summary>Sends and reads the whole answer.</summary>
    public async Task<byte[]> SendAsync(ApiRequest request, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan wait;
            try
            {
                using var limit = new CancellationTokenSource(options.Timeout, options.TimeProvider);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
                try
                {
                    using var response = await OpenOnceAsync(request, both.Token).ConfigureAwait(false);
                    // A declared or a real length beyond the limit is an HttpRequestException, before more than that is held.
                    await response.Content.LoadIntoBufferAsync(request.MaxAnswerBytes, both.Token).ConfigureAwait(false);
                    return await response.Content.ReadAsByteArrayAsync(both.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
                {
                    throw new TimeoutException($"{request} had no answer within {options.Timeout.TotalSeconds:0} s.");
                }
            }
            catch (Exception e) when (attempt < options.MaxRetries && RetryDelay(e, request, attempt) is { } delay)
            {
                wait = delay;
            }

            await Task.Delay(wait, options.TimeProvider, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Sends once and returns when the headers are there, for answers that are streams. The caller disposes the answer.</summary>
    public async Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken ct)
    {
        // The limit covers only the time until the headers: a stream may then last.
        using var limit = new CancellationTokenSource(options.Timeout, options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            return await OpenOnceAsync(request, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException($"{request} had no answer within {options.Timeout.TotalSeconds:0} s.");
        }
    }

    private async Task<HttpResponseMessage> OpenOnceAsync(ApiRequest request, CancellationToken ct)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(kubernetes.BaseUri, request.PathAndQuery))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.Accept.ParseAdd(request.Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent ?? options.FieldManager);
        if (request.Body is not null)
        {
            message.Content = new ByteArrayContent(request.Body);
            message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(request.ContentType ?? "application/json");
        }

        if (kubernetes.Credentials is not null)
            await kubernetes.Credentials.ProcessHttpRequestAsync(message, ct).ConfigureAwait(false);
        var response = await kubernetes.HttpClient.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
        {
            var body = await ReadErrorAsync(response.Content, ct).ConfigureAwait(false);
            var status = ApiStatus.Parse((int)response.StatusCode, body);
            if (response.Headers.RetryAfter?.Delta is { } delta)
                status = status with { RetryAfter = delta };
            throw new ApiException(response.StatusCode, status, request.ToString());
        }
    }

    /// <summary>The first <see cref="MaxErrorBytes"/> of it: an error is not worth failing over because it is long.</summary>
    private static async Task<ReadOnlyMemory<byte>> ReadErrorAsync(HttpContent content, CancellationToken ct)
    {
        using var stream = await content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        using var read = new MemoryStream();
        var buffer = new byte[16 << 10];
        while (read.Length < MaxErrorBytes && await stream.ReadAsync(buffer, ct).ConfigureAwait(false) is > 0 and var count)
            read.Write(buffer, 0, (int)Math.Min(count, MaxErrorBytes - read.Length));
        return read.GetBuffer().AsMemory(0, (int)read.Length);
    }

    /// <summary>
    /// How long to wait before the request is sent again, or null when it must not be. After 429 and after any error with
    /// Retry-After the server has done nothing, so every request may be repeated; after a broken connection only idempotent ones.
    /// </summary>
    private TimeSpan? RetryDelay(Exception error, ApiRequest request, int attempt)
    {
        var backoff = TimeSpan.FromMilliseconds(100 * Math.Pow(2, attempt) * (1 + NextJitter()));
        return error switch
        {
            ApiException { IsTooManyRequests: true } e => Bounded(e.Status.RetryAfter ?? TimeSpan.FromSeconds(1)),
            ApiException { IsTransient: true, Status.RetryAfter: { } after } => Bounded(after),
            ApiException { IsTransient: true } when request.Idempotent => backoff,
            HttpRequestException or IOException or TimeoutException when request.Idempotent => backoff,
            _ => null,
        };
    }

    private TimeSpan? Bounded(TimeSpan delay) => delay <= options.MaxRetryAfter ? delay * (1 + NextJitter() / 4) : null;

    private double NextJitter()
    {
        lock (_jitterGate)
            return _jitter.NextDouble();
    }
}

/// <summary>One request as the transport sees it.</summary>
internal sealed record ApiRequest(HttpMethod Method, string PathAndQuery, byte[]? Body = null, string? ContentType = null)
{
    public string Accept { get; init; } = "application/json";

    /// <summary>What is held of an answer at most. Lists of a cluster are long; no cluster's are longer than this.</summary>
    public int MaxAnswerBytes { get; init; } = int.MaxValue;

    /// <summary>Sending it twice has the effect of sending it once.</summary>
    public bool Idempotent { get; init; } = Method == HttpMethod.Get || Method == HttpMethod.Delete;

    public override string ToString() => $"{Method} /{PathAndQuery.Split('?')[0]}";
}
