using System.Text.Json;
using Graft.Sources.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Graft.Sources.Tests.Oci;

/// <summary>The token flow and redirects, against a registry and its token server as doubles.</summary>
public sealed class OciTokenTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_token_is_asked_for_with_the_login_and_neither_follows_a_redirect_to_the_blobs()
    {
        await using var store = await WebDouble.StartAsync(context => WebDouble.SendAsync(context, Blob(context.Request.Path)));
        await using var tokens = await WebDouble.StartAsync(
            context => context.Response.WriteAsync("""{"token": "t-1", "expires_in": 300}"""));
        await using var registry = await RegistryAsync(
            tokens, context => context.Response.Headers.Location = $"http://localhost:{store.Address.Port}{context.Request.Path}");
        folder.Write("secret/username", "me");
        folder.Write("secret/password", "pw");

        var fetched = await Make.FetchAsync(Options(registry), Source(registry), folder["secret"]);

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
        var asked = Assert.Single(tokens.Requests);
        Assert.Equal("Basic " + Convert.ToBase64String("me:pw"u8), asked.Authorization);
        Assert.NotEmpty(store.Requests);
        Assert.All(store.Requests, r => Assert.Null(r.Authorization));
        Assert.All(registry.Requests.Skip(1), r => Assert.Equal("Bearer t-1", r.Authorization));
    }

    [Fact]
    public async Task A_manifest_that_is_not_what_its_digest_says_is_refused()
    {
        await using var registry = await WebDouble.StartAsync(context => context.Response.Body.WriteAsync(Manifest).AsTask());
        var source = $"oci://127.0.0.1:{registry.Address.Port}/tiny@sha256:{new string('0', 64)}";

        var failure = await Make.FailureAsync(Options(registry), source);

        Assert.Equal(SourceFault.Corrupt, failure.Fault);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"layers": [null]}""")]
    [InlineData("""{"layers": [{"digest": "../../etc/passwd", "size": 3}]}""")]
    [InlineData("""{"layers": [{"digest": "sha256:0", "size": 3}]}""")]
    [InlineData("""{"layers": [{"size": 3}]}""")]
    [InlineData("""{"layers": [{"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "size": -3}]}""")]
    public async Task A_broken_manifest_is_refused_in_words(string manifest)
    {
        await using var registry = await WebDouble.StartAsync(context => context.Response.WriteAsync(manifest));

        var failure = await Make.FailureAsync(Options(registry), Source(registry));

        Assert.Equal(SourceFault.Unusable, failure.Fault);
        Assert.Contains("manifest", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_is_spoken_to_with_tls_unless_the_administrator_says_otherwise()
    {
        await using var registry = await WebDouble.StartAsync(context => context.Response.WriteAsync("{}"));
        var options = Make.Options(folder) with { Transfer = Make.Transfer with { Attempts = 1 } };

        var failure = await Make.FailureAsync(options, Source(registry));

        Assert.Equal(SourceFault.Unreachable, failure.Fault);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task Two_layers_of_one_name_are_refused()
    {
        var layer = new
        {
            digest = "sha256:" + new string('1', 64), size = 3,
            annotations = new Dictionary<string, string> { ["org.opencontainers.image.title"] = "config.json" },
        };
        var other = layer with { digest = "sha256:" + new string('2', 64) };
        var manifest = JsonSerializer.Serialize(new { layers = new[] { layer, other } });
        await using var registry = await WebDouble.StartAsync(context => context.Response.WriteAsync(manifest));

        Assert.Contains("names two layers 'config.json'", (await Make.FailureAsync(Options(registry), Source(registry))).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Manifest => JsonSerializer.SerializeToUtf8Bytes(new
    {
        layers = Make.Model().Select(f => new
        {
            mediaType = "application/octet-stream", digest = "sha256:" + Make.Sha256(f.Value), size = f.Value.Length,
            annotations = new Dictionary<string, string> { ["org.opencontainers.image.title"] = f.Key },
        }),
    });

    private static byte[] Blob(PathString path) =>
        Make.Model().Values.Single(b => path.Value!.EndsWith(Make.Sha256(b), StringComparison.Ordinal));

    private static Task<WebDouble> RegistryAsync(WebDouble tokens, Action<HttpContext> redirect) => WebDouble.StartAsync(async context =>
    {
        if (context.Request.Headers.Authorization != "Bearer t-1")
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate =
                $"Bearer realm=\"{tokens.Address}token\",service=\"registry\",scope=\"repository:tiny:pull\"";
        }
        else if (context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal))
        {
            await context.Response.Body.WriteAsync(Manifest);
        }
        else
        {
            context.Response.StatusCode = 307;
            redirect(context);
        }
    });

    private FetchOptions Options(WebDouble registry) =>
        Make.Options(folder) with { PlainHttpRegistries = [$"127.0.0.1:{registry.Address.Port}"] };

    private static string Source(WebDouble registry) => $"oci://127.0.0.1:{registry.Address.Port}/tiny:v1";
}
