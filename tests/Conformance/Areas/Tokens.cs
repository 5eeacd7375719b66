using System.Text;
using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Tokens
{
    private const string Reviews = "/apis/authentication.k8s.io/v1/tokenreviews";

    public static Area Area => new("Tokens of service accounts",
    [
        new("A service account gets a token on request, for a time", Sources.TokenRequests, async s =>
        {
            await AccountAsync(s, "worker");

            var answer = await AskAsync(s, "worker", """{"expirationSeconds": 600}""");

            Assert.Equal(3, answer.Is(201).Text("status", "token").Split('.').Length);
            Assert.NotEmpty(answer.Text("status", "expirationTimestamp"));
        }),
        new("A token says whose it is", Sources.BoundTokens, async s =>
        {
            var uid = await AccountAsync(s, "worker");

            var claims = Claims((await AskAsync(s, "worker", "{}")).Is(201).Text("status", "token"));

            Assert.Equal($"system:serviceaccount:{s.Name}:worker", (string?)claims["sub"]);
            Assert.Equal(s.Name, (string?)Json.At(claims, ["kubernetes.io", "namespace"]));
            Assert.Equal(uid, (string?)Json.At(claims, ["kubernetes.io", "serviceaccount", "uid"]));
            Assert.All((string[])["iss", "aud", "exp", "iat", "nbf"], claim => Assert.NotNull(claims[claim]));
        }),
        new("A token lets its account in", Sources.TokenRequests, async s =>
        {
            var token = await TokenAsync(s, "worker");

            (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Is(200);
            (await s.WithTokenAsync(token, HttpMethod.Get, s.ConfigMaps)).Refuses(403, "Forbidden", $"User \"system:serviceaccount:{s.Name}:worker\" cannot list");
        }),
        new("A token that nobody issued is refused", Sources.Authentication, async s =>
            (await s.WithTokenAsync("nonsense", HttpMethod.Get, "/apis")).Refuses(401, "Unauthorized", "Unauthorized")),
        Case.Refused("A token for less than ten minutes is refused", Sources.TokenValidation, async s =>
        {
            await AccountAsync(s, "worker");
            return await AskAsync(s, "worker", """{"expirationSeconds": 599}""");
        }, 422, "Invalid", "spec.expirationSeconds: Invalid value: 599", "may not specify a duration less than 10 minutes"),
        Case.Refused("A service account that is not there gets no token", Sources.TokenRequests,
            s => AskAsync(s, "nobody", "{}"), 404, "NotFound", "serviceaccounts \"nobody\" not found"),
        new("A token is worth nothing once its account is gone", Sources.BoundTokens, async s =>
        {
            var token = await TokenAsync(s, "worker");
            (await s.DeleteAsync(Account(s, "worker"))).Is(200);

            await s.UntilAsync("the token is refused", async () => (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Code == 401);
        }),
        new("A token that is bound to an object is worth nothing once that is gone", Sources.BoundTokens, async s =>
        {
            await AccountAsync(s, "worker");
            var secret = (await s.PostAsync(s.Secrets, Make.Secret("a"))).Is(201);
            var bound = await AskAsync(s, "worker", $$$"""{"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "a", "uid": "{{{secret.Uid}}}"}}""");
            var token = bound.Is(201).Text("status", "token");
            (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Is(200);

            (await s.DeleteAsync(s.Secret("a"))).Is(200);

            await s.UntilAsync("the token is refused", async () => (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Code == 401);
        }),
        new("A review of a token says whose it is, and in which groups", Sources.TokenReviews, async s =>
        {
            var token = await TokenAsync(s, "worker");

            var review = (await s.PostAsync(Reviews, Review(token))).Is(201).Equal(true, "status", "authenticated")
                .Equal($"system:serviceaccount:{s.Name}:worker", "status", "user", "username");

            var groups = review.At("status", "user", "groups")!.AsArray().Select(group => (string?)group);
            Assert.Equal([$"system:serviceaccounts:{s.Name}", "system:authenticated", "system:serviceaccounts"], groups.OrderByDescending(g => g!.Contains(s.Name)).ThenBy(g => g));
        }),
        new("A review of a token for others says that it is not for this server", Sources.TokenReviews, async s =>
        {
            await AccountAsync(s, "worker");
            var token = (await AskAsync(s, "worker", """{"audiences": ["vault"]}""")).Is(201).Text("status", "token");

            Assert.NotEqual(true, (bool?)(await s.PostAsync(Reviews, Review(token))).Is(201).At("status", "authenticated"));
            (await s.PostAsync(Reviews, Review(token, "vault"))).Is(201).Equal(true, "status", "authenticated")
                .Equal(new JsonArray("vault"), "status", "audiences");
            (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Is(401);
        }),
        new("A review of nonsense says that it is nobody's", Sources.TokenReviews, async s =>
            Assert.NotEqual(true, (bool?)(await s.PostAsync(Reviews, Review("nonsense"))).Is(201).At("status", "authenticated"))),
        new("A Secret of the type service-account-token is filled with the account's token", Sources.TokenSecrets, async s =>
        {
            await AccountAsync(s, "worker");
            var secret = Make.Secret("a").With("worker", "metadata", "annotations", "kubernetes.io/service-account.name");
            secret["type"] = "kubernetes.io/service-account-token";
            (await s.PostAsync(s.Secrets, secret)).Is(201);

            await s.UntilAsync("the token is there", async () => (await s.GetAsync(s.Secret("a"))).Is(200).At("data", "token") is not null);
            var token = Encoding.UTF8.GetString(Convert.FromBase64String((await s.GetAsync(s.Secret("a"))).Text("data", "token")));
            (await s.WithTokenAsync(token, HttpMethod.Get, "/apis")).Is(200);
            Assert.NotNull((await s.GetAsync(s.Secret("a"))).At("data", "ca.crt"));
        }),
        new("One can ask who one is", Sources.SelfReview, async s =>
        {
            var token = await TokenAsync(s, "worker");

            (await s.WithTokenAsync(token, HttpMethod.Post, "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                Json.Object("""{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}"""))).Is(201)
                .Equal($"system:serviceaccount:{s.Name}:worker", "status", "userInfo", "username");
        }),
        new("A pod gets the service account default", Sources.ServiceAccounts, async s =>
        {
            await s.UntilAsync("the account is there", async () => (await s.GetAsync(Account(s, "default"))).Code == 200);

            (await s.PostAsync(s.Pods, Pending("a"))).Is(201).Equal("default", "spec", "serviceAccountName");
        }),
        Case.Refused("A pod whose service account is not there is refused", Sources.ServiceAccounts,
            s => s.PostAsync(s.Pods, Pending("a").With("nobody", "spec", "serviceAccountName")), 403, "Forbidden",
            "error looking up service account", "serviceaccount \"nobody\" not found"),
    ]);

    /// <summary>A token of a new account.</summary>
    public static async Task<string> TokenAsync(Space s, string name)
    {
        await AccountAsync(s, name);
        return (await AskAsync(s, name, "{}")).Is(201).Text("status", "token");
    }

    private static async Task<string> AccountAsync(Space s, string name) =>
        (await s.PostAsync(s.Core("serviceaccounts"), Make.Named("v1", "ServiceAccount", name))).Is(201).Uid;

    private static string Account(Space s, string name) => $"{s.Core("serviceaccounts")}/{name}";

    private static Task<Answer> AskAsync(Space s, string name, string spec) => s.PostAsync($"{Account(s, name)}/token", new JsonObject
    {
        ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = Json.Object(spec),
    });

    private static JsonObject Review(string token, params string[] audiences)
    {
        var spec = new JsonObject { ["token"] = token };
        if (audiences.Length > 0)
            spec["audiences"] = new JsonArray([.. audiences.Select(audience => (JsonNode?)audience)]);
        return new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenReview", ["spec"] = spec };
    }

    private static JsonObject Claims(string token)
    {
        var body = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
        return Json.Object(Encoding.UTF8.GetString(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))));
    }

    /// <summary>A pod that no scheduler looks at.</summary>
    private static JsonObject Pending(string name) => Make.Pod(name, "graft.invalid/none:1", "true")
        .With(new JsonArray(new JsonObject { ["name"] = "example.com/never" }), "spec", "schedulingGates");
}
