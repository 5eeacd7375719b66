using System.Net;
using System.Net.Http.Headers;

namespace Graft.Sources.Network;

/// <summary>How far a request follows redirects.</summary>
internal enum Redirects
{
    /// <summary>To the same server only; a redirect elsewhere is the answer.</summary>
    SameOrigin,

    /// <summary>Anywhere that the address rules allow.</summary>
    All,
}

/// <summary>HTTP for sources: guarded addresses, own redirects, and credentials that stay with the server they belong to.</summary>
internal sealed class SourceHttp : IDisposable
{
    private const int MaxRedirects = 8;
    private readonly HttpClient client;
    private readonly TransferOptions transfer;
    private readonly TimeProvider time;

    public SourceHttp(FetchOptions options)
    {
        transfer = options.Transfer;
        time = options.Time;
        client = new(GuardedSockets.Handler(options.Addresses, transfer)) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new("graft", typeof(SourceHttp).Assembly.GetName().Version?.ToString(3)));
        client.DefaultRequestHeaders.AcceptEncoding.Add(new("identity"));
    }

    public Retrier Retrier => new(transfer, time);

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>
    /// Sends a request and returns the answer's head, whatever its status. <paramref name="credentials"/> go to the origin of
    /// <paramref name="uri"/> and to no other.
    /// </summary>
    /// <exception cref="SourceException">No answer, or a redirect that is not followed.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri uri, string what, Redirects redirects, AuthenticationHeaderValue? credentials,
        Action<HttpRequestHeaders>? headers, CancellationToken cancellation)
    {
        var target = uri;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            var request = new HttpRequestMessage(method, target) { Version = HttpVersion.Version11 };
            headers?.Invoke(request.Headers);
            if (EndpointUri.SameOrigin(uri, target)) request.Headers.Authorization = credentials;
            var answer = await SendAsync(request, what, cancellation);
            if (answer.Headers.Location is not { } location || (int)answer.StatusCode is < 300 or >= 400) return answer;
            if (!Uri.TryCreate(target, location, out var next))
            {
                answer.Dispose();
                throw new SourceException(SourceFault.Refused, $"{what}: {target.Host} redirects to something that is no address");
            }
            if (redirects == Redirects.SameOrigin && !EndpointUri.SameOrigin(uri, next)) return answer;
            answer.Dispose();
            if (next.Scheme != "https" && !(next.Scheme == "http" && target.Scheme == "http"))
                throw new SourceException(SourceFault.Refused, $"{what}: redirected from https to {next.Scheme}, which is not followed");
            target = next;
        }
        throw new SourceException(SourceFault.Refused, $"{what}: more than {MaxRedirects} redirects");
    }

    /// <summary>A whole answer of at most <paramref name="limit"/> bytes.</summary>
    public async Task<byte[]> BodyAsync(HttpResponseMessage answer, string what, int limit, CancellationToken cancellation)
    {
        if (answer.Content.Headers.ContentLength > limit) throw TooLong();
        try
        {
            using var stream = await answer.Content.ReadAsStreamAsync(cancellation);
            using var bytes = new MemoryStream();
            var buffer = new byte[16 << 10];
            while (await ReadAsync(stream, buffer, cancellation) is var count and > 0)
            {
                if (bytes.Length + count > limit) throw TooLong();
                bytes.Write(buffer, 0, count);
            }
            return bytes.ToArray();
        }
        catch (Exception e) when (Faults.Of(e, what) is { } fault)
        {
            throw fault;
        }

        SourceException TooLong() => new(SourceFault.Unusable, $"{what}: the answer is longer than {limit} bytes");
    }

    /// <summary>Some bytes, or 0 at the end.</summary>
    /// <exception cref="TimeoutException">Nothing came for so long that the connection counts as dropped.</exception>
    public async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellation)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        idle.CancelAfter(transfer.IdleTimeout);
        try
        {
            return await stream.ReadAsync(buffer, idle.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {transfer.IdleTimeout.TotalSeconds:0} s");
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string what, CancellationToken cancellation)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        idle.CancelAfter(transfer.IdleTimeout);
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, idle.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new SourceException(SourceFault.Unreachable,
                $"{what}: {request.RequestUri!.Host} did not answer within {transfer.IdleTimeout.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (Faults.Of(e, what) is { } fault)
        {
            throw fault;
        }
    }
}
