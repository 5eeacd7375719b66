using System.Net;
using System.Net.Http.Headers;
using Graft.Sources.Downloads;

namespace Graft.Sources.Network;

/// <summary>
/// Ranges of one file over HTTP. Where the file's address redirects (to a content network, with a signature that expires), the target
/// is remembered for the ranges that follow, and asked for anew when it no longer answers.
/// </summary>
internal sealed class HttpRanges(SourceHttp http, Uri address, string name, AuthenticationHeaderValue? credentials, long size)
{
    private volatile Uri? target;

    public async Task<OpenedRange> OpenAsync(ByteSpan span, CancellationToken cancellation)
    {
        if (target is { } known)
        {
            var direct = await SendAsync(known, null, span, cancellation);
            if (direct.IsSuccessStatusCode) return await BodyAsync(direct, name, span, size, cancellation);
            direct.Dispose();
            target = null;
        }
        var answer = await SendAsync(address, credentials, span, cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            using (answer) throw Faults.Of(answer, name, http.Now);
        }
        var final = answer.RequestMessage!.RequestUri!;
        if (!EndpointUri.SameOrigin(final, address)) target = final;
        return await BodyAsync(answer, name, span, size, cancellation);
    }

    private Task<HttpResponseMessage> SendAsync(Uri uri, AuthenticationHeaderValue? who, ByteSpan span, CancellationToken cancellation) =>
        http.SendAsync(HttpMethod.Get, uri, name, Redirects.All, who,
            headers => headers.Range = span.Length < size ? new RangeHeaderValue(span.From, span.End - 1) : null, cancellation);

    /// <summary>The body of a good answer, when it is a part of what was announced.</summary>
    public static async Task<OpenedRange> BodyAsync(
        HttpResponseMessage answer, string name, ByteSpan span, long size, CancellationToken cancellation)
    {
        var (from, total) = answer.StatusCode == HttpStatusCode.PartialContent
            ? (answer.Content.Headers.ContentRange?.From ?? -1, answer.Content.Headers.ContentRange?.Length ?? size)
            : (0, answer.Content.Headers.ContentLength ?? size);
        if (total != size || (from != span.From && from != 0))
        {
            answer.Dispose();
            throw new SourceException(SourceFault.Corrupt,
                FormattableString.Invariant($"{name}: {size} bytes were announced, now bytes from {from} of {total} come"));
        }
        return new(await answer.Content.ReadAsStreamAsync(cancellation), from, answer);
    }
}
