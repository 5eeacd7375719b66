using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>A document as it goes over the wire, and the hash by which clients know whether they have it already.</summary>
internal sealed record MadeDocument(byte[] Body, string ContentType, string Hash)
{
    public static MadeDocument Of(JsonObject document, string contentType = "application/json")
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document);
        return new MadeDocument(body, contentType, Convert.ToHexString(SHA512.HashData(body)));
    }

    /// <summary>Answers with the document, or with 304 where the client names its hash.</summary>
    public async Task SendAsync(HttpContext http)
    {
        var tag = $"\"{Hash}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.Vary = "Accept";
        if (http.Request.Headers.IfNoneMatch == tag)
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        http.Response.ContentType = ContentType;
        http.Response.ContentLength = Body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(Body, http.RequestAborted);
    }
}
