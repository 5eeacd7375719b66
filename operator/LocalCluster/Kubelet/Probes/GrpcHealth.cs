using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Graft.LocalCluster.Kubelet.Probes;

/// <summary>
/// One call of grpc.health.v1.Health/Check without encryption (grpc/grpc, doc/health-checking.md): a message of one text, and an answer
/// of one number.
/// </summary>
internal static class GrpcHealth
{
    private const int PrefixLength = 5;
    private const byte ServiceField = 0x0A; // field 1, text
    private const byte StatusField = 0x08; // field 1, number
    private const byte Serving = 1;

    /// <exception cref="HttpRequestException">Nobody speaks gRPC there.</exception>
    public static async Task<ProbeResult> CheckAsync(HttpClient http, string host, int port, string service, CancellationToken cancel)
    {
        var name = Encoding.UTF8.GetBytes(service);
        if (name.Length > sbyte.MaxValue) return new ProbeResult(false, $"service name {service} is too long");
        byte[] message = name.Length == 0 ? [] : [ServiceField, (byte)name.Length, .. name];
        var body = new byte[PrefixLength + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), message.Length);
        message.CopyTo(body, PrefixLength);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://{host}:{port}/grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancel).ConfigureAwait(false);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
        var code = Status(answer.TrailingHeaders) ?? Status(answer.Headers);
        if (code is not (null or "0")) return new ProbeResult(false, $"service unhealthy (responded with gRPC status {code})");
        return bytes.Length >= PrefixLength + 2 && bytes[PrefixLength] == StatusField && bytes[PrefixLength + 1] == Serving
            ? new ProbeResult(true, "")
            : new ProbeResult(false, "service unhealthy (responded with \"NOT_SERVING\")");
    }

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.FirstOrDefault() : null;
}
