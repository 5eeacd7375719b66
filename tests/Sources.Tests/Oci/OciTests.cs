using System.Formats.Tar;
using System.IO.Compression;
using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.Oci;

/// <summary>Against Debian's docker-registry, with a login.</summary>
public sealed class OciTests : IAsyncLifetime
{
    // A published test vector of bcrypt, so that nothing here has to compute one.
    private const string Password = "U*U";
    private const string Hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    private readonly TempFolder folder = new();
    private ServerProgram? server;

    public async Task InitializeAsync()
    {
        if (!File.Exists(Components.Registry)) return;
        var logins = folder.Write("htpasswd", $"me:{Hash}\n");
        var config = folder.Write("config.yml", $$"""
            version: 0.1
            log: {level: info}
            storage:
              filesystem: {rootdirectory: "{{folder["store"]}}" }
            http: {addr: "127.0.0.1:0"}
            auth:
              htpasswd: {realm: test, path: "{{logins}}" }
            """);
        server = await ServerProgram.StartAsync(Components.Registry, "serve", config);
        folder.Write("secret/username", "me");
        folder.Write("secret/password", Password);
    }

    public Task DisposeAsync()
    {
        server?.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [SkippableFact]
    public async Task Titled_layers_are_the_files_of_a_model_by_tag_and_by_digest()
    {
        var digest =
            await PushAsync("team/tiny", "v1", new Dictionary<string, byte[]>(Make.Model()) { ["pytorch_model.bin"] = Make.Bytes(10) });

        var byTag = await Make.FetchAsync(Options, Source("team/tiny:v1"), folder["secret"]);
        var byDigest = await Make.FetchAsync(Options, Source("team/tiny@" + digest), folder["secret"]);

        foreach (var (name, bytes) in Make.Model()) Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(byTag.Path, name)));
        Assert.Equal(Make.Model().Count, Directory.GetFiles(byTag.Path).Length);
        Assert.Equal(digest, byTag.Revision);
        Assert.Equal(byTag, byDigest);
    }

    [SkippableTheory]
    [InlineData("application/vnd.kitops.modelkit.model.v1.tar")]
    [InlineData("application/vnd.kitops.modelkit.model.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip")]
    public async Task An_archive_is_unpacked_to_what_a_model_is_made_of(string mediaType)
    {
        var files = Make.Model().ToDictionary(f => "models/tiny/" + f.Key, f => f.Value);
        files["models/tiny/weights.pt"] = Make.Bytes(10);
        files["etc/passwd"] = Make.Bytes(10);
        await PushAsync("kit", "v1", [(mediaType, null, Tar(files, mediaType.EndsWith("gzip", StringComparison.Ordinal)))]);

        var fetched = await Make.FetchAsync(Options, Source("kit:v1"), folder["secret"]);
        var again = await Make.FetchAsync(Options, Source("kit:v1"), folder["secret"]);

        Assert.Equal(fetched, again);
        Assert.EndsWith("/models/tiny", fetched.Path, StringComparison.Ordinal);
        foreach (var (name, bytes) in Make.Model()) Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(fetched.Path, name)));
        Assert.DoesNotContain(Directory.EnumerateFiles(fetched.Root, "*", SearchOption.AllDirectories),
            f => f.EndsWith("passwd", StringComparison.Ordinal) || f.EndsWith(".pt", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("../../evil.json")]
    [InlineData("/evil.json")]
    public async Task A_name_in_an_archive_or_a_title_that_leaves_the_folder_is_refused(string name)
    {
        var files = new Dictionary<string, byte[]>(Make.Model()) { [name] = Make.Bytes(10) };
        await PushAsync("archive", "v1", [("application/vnd.oci.image.layer.v1.tar", null, Tar(files, false))]);
        await PushAsync(
            "titles", "v1", [("application/vnd.oci.image.layer.v1.tar", null, Tar(Make.Model(), false)), ("x/y", name, Make.Bytes(10))]);

        Assert.Equal(SourceFault.Refused, (await Make.FailureAsync(Options, Source("archive:v1"), folder["secret"])).Fault);
        Assert.Equal(SourceFault.Refused, (await Make.FailureAsync(Options, Source("titles:v1"), folder["secret"])).Fault);
        Assert.DoesNotContain(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories),
            f => f.EndsWith("evil.json", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task An_archive_that_is_made_to_fill_a_disk_is_refused()
    {
        Components.Require(Components.Registry);
        var bomb = Tar(new() { ["config.json"] = new byte[200 << 20] }, gzip: true);
        await PushAsync("bomb", "v1", [("application/vnd.oci.image.layer.v1.tar+gzip", null, bomb)]);

        var failure = await Make.FailureAsync(Options, Source("bomb:v1"), folder["secret"]);

        Assert.Equal(SourceFault.Unusable, failure.Fault);
        Assert.Contains("far more than its size allows", failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_docker_config_is_understood_and_one_for_another_registry_is_named()
    {
        await PushAsync("team/tiny", "v1", Make.Model());
        var auth = Convert.ToBase64String("me:U*U"u8);
        folder.Write("docker/.dockerconfigjson", $$"""{"auths": {"127.0.0.1:{{server!.Port}}": {"auth": "{{auth}}"} } }""");
        folder.Write("other/.dockerconfigjson", $$"""{"auths": {"ghcr.io": {"auth": "{{auth}}"} } }""");

        await Make.FetchAsync(Options, Source("team/tiny:v1"), folder["docker"]);
        var failure = await Make.FailureAsync(Options, Source("team/tiny:v1"), folder["other"]);

        Assert.Equal(SourceFault.Invalid, failure.Fault);
        Assert.Contains($"no login for 127.0.0.1:{server.Port}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(auth, failure.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Without_a_login_or_with_a_wrong_one_it_is_a_persons_error()
    {
        await PushAsync("team/tiny", "v1", Make.Model());
        folder.Write("wrong/username", "me");
        folder.Write("wrong/password", "not-it");

        var stranger = await Make.FailureAsync(Options, Source("team/tiny:v1"));
        var wrong = await Make.FailureAsync(Options, Source("team/tiny:v1"), folder["wrong"]);

        Assert.Equal((SourceFault.Unauthorized, SourceFault.Unauthorized), (stranger.Fault, wrong.Fault));
        Assert.Contains("credentialsRef", stranger.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-it", wrong.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_is_not_there_is_a_persons_error_and_offline_the_cache_is_enough()
    {
        await PushAsync("team/tiny", "v1", Make.Model());
        var online = await Make.FetchAsync(Options, Source("team/tiny:v1"), folder["secret"]);

        Assert.Equal(SourceFault.NotFound, (await Make.FailureAsync(Options, Source("team/tiny:v2"), folder["secret"])).Fault);
        Assert.Equal(online, await Make.FetchAsync(Options with { Offline = true }, Source("team/tiny:v1")));
        Assert.Equal(SourceFault.NotCached, (await Make.FailureAsync(Options with { Offline = true }, Source("team/tiny:v3"))).Fault);
    }

    [SkippableFact]
    public async Task A_later_layer_of_an_image_wins_and_its_whiteouts_hide_what_lies_below()
    {
        const string type = "application/vnd.oci.image.layer.v1.tar+gzip";
        var model = Make.Model();
        var below = Tar(new()
        {
            ["models/tiny/config.json"] = Make.Bytes(20, seed: 2), ["models/tiny/model.safetensors"] = model["model.safetensors"],
            ["models/tiny/old.safetensors"] = Make.Bytes(20), ["models/tiny/tokenizer.json"] = Make.Bytes(20), ["a/config.json"] = [1],
            ["a/model.safetensors"] = [1],
        }, gzip: true);
        var above = Tar(new()
        {
            ["models/tiny/config.json"] = model["config.json"], ["models/tiny/.wh.old.safetensors"] = [],
            ["models/tiny/tokenizer.json"] = model["tokenizer.json"], ["a/.wh..wh..opq"] = [],
        }, gzip: true);
        await PushAsync("image", "v1", [(type, null, below), (type, null, above)]);
        // The first layer once more brings back what the second one hid.
        await PushAsync("image", "v2", [(type, null, below), (type, null, above), (type, null, below)]);

        var fetched = await Make.FetchAsync(Options, Source("image:v1"), folder["secret"]);
        var again = await Make.FetchAsync(Options, Source("image:v2"), folder["secret"]);

        Assert.EndsWith("/models/tiny", fetched.Path, StringComparison.Ordinal);
        Assert.Equal(model.Keys.Order(), Directory.GetFiles(fetched.Path).Select(Path.GetFileName).Order());
        foreach (var (name, bytes) in model) Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(fetched.Path, name)));
        Assert.EndsWith("/a", again.Path, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_layer_that_was_unpacked_as_a_model_is_a_data_file_as_well()
    {
        var files = new Dictionary<string, byte[]> { ["train.jsonl"] = Make.Bytes(5000) };
        await PushAsync("rows", "v1", [("application/vnd.oci.image.layer.v1.tar", null, Tar(files, false))]);

        var asModel = await Make.FailureAsync(Options, Source("rows:v1"), folder["secret"]);
        var asFile = await Make.FetchAsync(Options, Source("rows:v1"), folder["secret"], FetchKind.SingleFile);

        Assert.Equal(SourceFault.NotFound, asModel.Fault);
        Assert.Equal(files["train.jsonl"], File.ReadAllBytes(asFile.Path));
    }

    [SkippableFact]
    public async Task An_unpacked_file_that_is_gone_is_unpacked_again()
    {
        await PushAsync("kit", "v1", [("application/vnd.oci.image.layer.v1.tar", null, Tar(Make.Model(), false))]);
        var first = await Make.FetchAsync(Options, Source("kit:v1"), folder["secret"]);
        var config = Path.Combine(first.Path, "config.json");
        File.Delete(new FileInfo(config).ResolveLinkTarget(returnFinalTarget: true)!.FullName);

        await Make.FetchAsync(Options, Source("kit:v1"), folder["secret"]);

        Assert.Equal(Make.Model()["config.json"], File.ReadAllBytes(config));
    }

    [SkippableFact]
    public async Task An_index_is_opened_by_its_digest_without_asking_anybody_and_attestations_are_no_artifacts()
    {
        var artifact = await PushAsync("team/tiny", "v1", Make.Model());
        var about = await PushAsync("team/tiny", "about", [("application/vnd.in-toto+json", null, Make.Bytes(10))]);
        using var push = new OciPush(new Uri($"http://{Address}"), "me", Password);
        var index = await push.IndexAsync("team/tiny", "all",
            (artifact, null), (about, new() { ["vnd.docker.reference.type"] = "attestation-manifest" }));

        var (options, source, inner) = (Options, Source("team/tiny@" + index), Source("team/tiny@" + artifact));

        var online = await Make.FetchAsync(options, source, folder["secret"]);
        server!.Dispose();
        server = null;
        var again = await Make.FetchAsync(options, source);
        var offline = await Make.FetchAsync(options with { Offline = true }, source);
        var artifactOffline = await Make.FetchAsync(options with { Offline = true }, inner);

        Assert.Equal(artifact, online.Revision);
        Assert.Equal((online, online, online), (again, offline, artifactOffline));
    }

    private string Address => $"127.0.0.1:{server!.Port}";

    private FetchOptions Options => Make.Options(folder) with { PlainHttpRegistries = [Address] };

    private string Source(string name) => $"oci://{Address}/{name}";

    private Task<string> PushAsync(string repository, string tag, Dictionary<string, byte[]> files) =>
        PushAsync(repository, tag, [.. files.Select(f => ("application/octet-stream", (string?)f.Key, f.Value))]);

    private async Task<string> PushAsync(string repository, string tag, (string MediaType, string? Title, byte[] Bytes)[] layers)
    {
        Components.Require(Components.Registry);
        using var push = new OciPush(new Uri($"http://{Address}"), "me", Password);
        return await push.Async(repository, tag, layers);
    }

    private static byte[] Tar(Dictionary<string, byte[]> files, bool gzip)
    {
        using var plain = new MemoryStream();
        using (var tar = new TarWriter(plain, leaveOpen: true))
        {
            foreach (var (name, content) in files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }
        if (!gzip) return plain.ToArray();
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) stream.Write(plain.ToArray());
        return packed.ToArray();
    }
}
