using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Graft.LocalCluster.Api.Access;

/// <summary>Answers who a token speaks for (TokenReview) and who oneself is (SelfSubjectReview, <c>kubectl auth whoami</c>).</summary>
internal sealed class IdentityReviews(Authenticator authenticator)
{
    public async Task AnswerAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        if (target.Name.Length > 0)
            throw ApiException.NoSuchResource();
        if (!HttpMethods.IsPost(http.Request.Method))
            throw ApiException.MethodNotAllowed();
        var review = await ResourceHandler.ReadObjectAsync(http, kind, target, WriteOptions.Of(http.Request));
        review["status"] = kind.Kind == "TokenReview"
            ? Reviewed(kind, review.Child("spec"))
            : new JsonObject { ["userInfo"] = Info(http.Features.GetRequiredFeature<Requester>()) };
        await Responses.WriteAsync(http, 201, review);
    }

    private JsonObject Reviewed(ResourceKind kind, JsonObject spec)
    {
        if (spec["token"].AsString() is not { Length: > 0 } token)
            throw ApiException.Invalid(kind, "", [FieldError.Required("spec.token")]);
        var audiences = spec["audiences"].Strings();
        return authenticator.Find(token, audiences) is not { } found
            ? new JsonObject { ["authenticated"] = false, ["error"] = "invalid bearer token" }
            : new JsonObject { ["authenticated"] = true, ["user"] = Info(found.Who), ["audiences"] = found.Audiences.ToJsonArray() };
    }

    private static JsonObject Info(Requester who)
    {
        var info = new JsonObject { ["username"] = who.User, ["groups"] = who.Groups.ToJsonArray() };
        if (who.Uid.Length > 0)
            info["uid"] = who.Uid;
        if (who.Extra.Count > 0)
            info["extra"] = new JsonObject(who.Extra.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.ToJsonArray())));
        return info;
    }
}
