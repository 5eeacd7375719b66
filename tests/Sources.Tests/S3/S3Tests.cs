using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Graft.Contract;
using Graft.Sources.Network;
using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.S3;

/// <summary>Against s3rver, a store that speaks S3 and checks signatures.</summary>
public sealed class S3Tests : IAsyncLifetime
{
    private const string Source = "s3://models/tiny";
    private readonly TempFolder folder = new();
    private ServerProgram? server;

    public async Task InitializeAsync()
    {
        if (!File.Exists(Components.S3rver)) return;
        server = await ServerProgram.StartAsync(Components.S3rver, "--directory", folder["store"], "--address", "127.0.0.1", "--port", "0",
            "--configure-bucket", "models");
        Credentials("S3RVER", "S3RVER");
    }

    public Task DisposeAsync()
    {
        server?.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [SkippableFact]
    public async Task A_model_below_a_prefix_is_fetched_in_ranges_and_checked()
    {
        await PutAsync(Make.Model().ToDictionary(f => "tiny/" + f.Key, f => f.Value));
        await PutAsync(new() { ["tiny/pytorch_model.bin"] = Make.Bytes(10), ["tinyother/config.json"] = Make.Bytes(10) });
        var reports = new Reports();

        var fetched = await Make.FetchAsync(Options, Source, folder["secret"], progress: reports);

        foreach (var (name, bytes) in Make.Model()) Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(fetched.Path, name)));
        Assert.Equal(Make.Model().Count, Directory.GetFiles(fetched.Path).Length);
        Assert.Matches("^sha256:[0-9a-f]{64}$", fetched.Revision);
        Assert.Equal(reports.All[^1].TotalBytes, reports.All[^1].Bytes);
    }

    [SkippableFact]
    public async Task A_named_gguf_and_a_single_data_file_come_alone()
    {
        await PutAsync(new() { ["g/a.gguf"] = Make.Bytes(100_000), ["g/b.gguf"] = Make.Bytes(5), ["rows/train.jsonl"] = Make.Bytes(700) });

        var gguf = await Make.FetchAsync(Options, "s3://models/g/a.gguf", folder["secret"]);
        var rows = await Make.FetchAsync(Options, "s3://models/rows/train.jsonl", folder["secret"], FetchKind.SingleFile);

        Assert.Equal(Make.Bytes(100_000), File.ReadAllBytes(gguf.Path));
        Assert.Equal(Make.Bytes(700), File.ReadAllBytes(rows.Path));
        Assert.Equal("train.jsonl", Path.GetFileName(rows.Path));
    }

    [SkippableFact]
    public async Task A_changed_object_is_another_revision_and_what_did_not_change_is_not_fetched_again()
    {
        await PutAsync(Make.Model().ToDictionary(f => "tiny/" + f.Key, f => f.Value));
        var before = await Make.FetchAsync(Options, Source, folder["secret"]);
        await PutAsync(new() { ["tiny/config.json"] = Make.Bytes(50) });

        var after = await Make.FetchAsync(Options, Source, folder["secret"]);

        Assert.NotEqual(before.Revision, after.Revision);
        Assert.Equal(Make.Bytes(50), File.ReadAllBytes(Path.Combine(after.Path, "config.json")));
        Assert.Equal(Make.Model()["config.json"], File.ReadAllBytes(Path.Combine(before.Path, "config.json")));
        Assert.Equal(4, Directory.GetFiles(Path.Combine(after.Root, "blobs")).Length);
    }

    [SkippableFact]
    public async Task Offline_the_cache_is_enough_and_its_absence_is_said()
    {
        await PutAsync(Make.Model().ToDictionary(f => "tiny/" + f.Key, f => f.Value));
        var online = await Make.FetchAsync(Options, Source, folder["secret"]);

        Assert.Equal(online, await Make.FetchAsync(Options with { Offline = true }, Source, folder["secret"]));
        Assert.Equal(
            SourceFault.NotCached, (await Make.FailureAsync(Options with { Offline = true }, "s3://models/other", folder["secret"])).Fault);
    }

    [SkippableTheory]
    [InlineData("s3://models/nothing", SourceFault.NotFound, "no object 'nothing'")]
    [InlineData("s3://elsewhere/x", SourceFault.NotFound, "no bucket 'elsewhere'")]
    public async Task What_is_not_there_is_a_persons_error(string source, SourceFault fault, string words)
    {
        Components.Require(Components.S3rver);

        var failure = await Make.FailureAsync(Options, source, folder["secret"]);

        Assert.Equal((fault, FailureClass.ModelError), (failure.Fault, failure.ClassFor(FailureClass.ModelError)));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_unknown_key_is_a_persons_error()
    {
        Components.Require(Components.S3rver);
        Credentials("NOBODY", "S3RVER");

        Assert.Equal(SourceFault.Unauthorized, (await Make.FailureAsync(Options, Source, folder["secret"])).Fault);
    }

    [SkippableFact]
    public async Task A_store_on_this_machine_is_not_asked_on_a_cluster()
    {
        Components.Require(Components.S3rver);

        var failure = await Make.FailureAsync(Options with { Addresses = AddressRules.Default }, Source, folder["secret"]);

        Assert.Equal(SourceFault.Refused, failure.Fault);
    }

    [SkippableFact]
    public async Task A_file_that_breaks_off_is_resumed()
    {
        await PutAsync(Make.Model().ToDictionary(f => "tiny/" + f.Key, f => f.Value));
        // In front of the store, a wire that breaks: the signature is for the store's own address, so only bytes pass through.
        using var wire = BrokenWire.Start(server!.Port, breakAfter: 30_000);
        var options = Options with { S3Endpoint = new Uri($"http://127.0.0.1:{wire.Port}") };
        folder.Write("secret/AWS_ENDPOINT_URL", options.S3Endpoint.ToString());

        var fetched = await Make.FetchAsync(options, Source, folder["secret"]);

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
        Assert.True(wire.Broken > 0);
    }

    private FetchOptions Options => Make.Options(folder);

    private void Credentials(string id, string secret)
    {
        folder.Write("secret/AWS_ACCESS_KEY_ID", id);
        folder.Write("secret/AWS_SECRET_ACCESS_KEY", secret + "\n");
        folder.Write("secret/AWS_ENDPOINT_URL", $"http://127.0.0.1:{server!.Port}");
    }

    private async Task PutAsync(Dictionary<string, byte[]> objects)
    {
        Components.Require(Components.S3rver);
        using var client = new AmazonS3Client(new BasicAWSCredentials("S3RVER", "S3RVER"), new AmazonS3Config
        {
            ServiceURL = $"http://127.0.0.1:{server!.Port}",
            ForcePathStyle = true,
            AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        });
        foreach (var (key, bytes) in objects)
        {
            await client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = "models", Key = key, InputStream = new MemoryStream(bytes), UseChunkEncoding = false,
            });
        }
    }
}
