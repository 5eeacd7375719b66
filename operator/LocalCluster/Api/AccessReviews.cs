using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Api;

/// <summary>
/// <c>kubectl auth can-i</c>: whoever holds the token may do everything, so the answer does not depend on the question, which kubectl
/// sends in a binary form that nothing else here needs to read.
/// </summary>
internal static class AccessReviews
{
    public static async Task AnswerAsync(HttpContext http, ResourceKind kind)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
            throw ApiException.MethodNotAllowed();
        await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
        await Responses.WriteAsync(http, 201, new JsonObject
        {
            ["kind"] = kind.Kind,
            ["apiVersion"] = kind.ApiVersion,
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject(),
            ["status"] = new JsonObject { ["allowed"] = true, ["reason"] = "the holder of the token may do everything" },
        });
    }
}
