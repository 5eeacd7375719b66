using Graft.Contract;
using Graft.Sources.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Graft.Sources.Tests.Hub;

public sealed class HubFailureTests : IDisposable
{
    private const string Source = "hf://org/model@main";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Dropped_connections_go_on_where_they_broke_off()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var served = 0L;
        hub.InsteadOfContent = async (context, bytes) =>
        {
            var drop = Interlocked.Increment(ref served) % 2 == 1;
            await WebDouble.SendAsync(context, bytes, dropAfter: drop ? 20_000 : null);
            return true;
        };

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
        // A range that broke off is not asked for again from its start.
        Assert.Contains(hub.ContentRequests, r => r.Range is { } range
            && long.Parse(range[6..range.IndexOf('-', StringComparison.Ordinal)]) % (64 << 10) != 0);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task What_the_other_side_is_to_blame_for_is_tried_again(int status)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var refused = 0;
        hub.InsteadOfHub = context => Task.FromResult(Answer(context, status, Interlocked.Increment(ref refused) <= 3));

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.True(File.Exists(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Fact]
    public async Task A_rate_limit_is_waited_out_for_as_long_as_it_says()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var refused = 0;
        hub.InsteadOfHub = context => Task.FromResult(Answer(context, 429, Interlocked.Increment(ref refused) == 1, retryAfter: "1"));
        var started = TimeProvider.System.GetTimestamp();

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_rate_limit_that_asks_for_too_long_a_wait_ends_the_attempt_as_the_machines_fault()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context => Task.FromResult(Answer(context, 429, true, retryAfter: "3600"));

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal((SourceFault.Unreachable, FailureClass.Infrastructure), (failure.Fault, failure.ClassFor(FailureClass.ModelError)));
        Assert.Contains("3600 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_that_never_answers_well_is_given_up_and_not_the_persons_fault()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context => Task.FromResult(Answer(context, 502, true));

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.True(failure.IsRetryable);
        Assert.Equal(Make.Transfer.Attempts, hub.HubRequests.Count);
    }

    [Fact]
    public async Task Wrong_bytes_are_fetched_once_more_and_then_refused()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfContent = async (context, bytes) =>
        {
            await WebDouble.SendAsync(context, [.. bytes.Take(bytes.Length - 1), (byte)(bytes[^1] ^ 1)]);
            return true;
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal((SourceFault.Corrupt, FailureClass.ModelError), (failure.Fault, failure.ClassFor(FailureClass.ModelError)));
        Assert.Contains("model.safetensors came broken, twice: its sha256 is", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(
            folder["cache", "hub", "models--org--model", "blobs"], Make.Sha256(Make.Model()["model.safetensors"]) + "*"));
    }

    [Fact]
    public async Task Small_files_are_checked_by_the_name_that_git_gives_them()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = async context =>
        {
            if (context.Request.Method != "GET" || !context.Request.Path.Value!
                .EndsWith("config.json", StringComparison.Ordinal)) return false;
            await WebDouble.SendAsync(context, new byte[Make.Model()["config.json"].Length]);
            return true;
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Contains("its git blob sha1 is", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_longer_file_than_announced_is_not_taken()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfContent = async (context, bytes) =>
        {
            await WebDouble.SendAsync(context, [.. bytes, .. new byte[1000]], ranges: true);
            return true;
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Contains("300000 bytes were announced", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_ranges_is_read_from_start_to_end()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var served = 0;
        hub.InsteadOfContent = async (context, bytes) =>
        {
            await WebDouble.SendAsync(context, bytes, ranges: false, dropAfter: Interlocked.Increment(ref served) == 3 ? 100_000 : null);
            return true;
        };

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Fact]
    public async Task A_server_that_falls_silent_counts_as_dropped()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var silent = 0;
        hub.InsteadOfContent = async (context, bytes) =>
        {
            if (Interlocked.Increment(ref silent) > 2) return false;
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        var options = Make.Options(folder, hub.Address);

        var fetched =
            await Make.FetchAsync(options with { Transfer = options.Transfer with { IdleTimeout = TimeSpan.FromSeconds(1) } }, Source);

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Theory]
    [InlineData("hf://org/nothing", SourceFault.NotFound, "has no such repository")]
    [InlineData("hf://org/model@v2", SourceFault.NotFound, "no revision 'v2'")]
    [InlineData("hf://org/model@main/other", SourceFault.NotFound, "it has no 'other'")]
    [InlineData("hf://org/model@main/config.json", SourceFault.Unusable, "name a .gguf file")]
    [InlineData("hf://datasets/org/rows@main", SourceFault.Invalid, "only model repositories")]
    public async Task What_is_not_there_is_a_persons_error_that_says_so_and_is_not_tried_again(
        string source, SourceFault fault, string words)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), source);

        Assert.Equal((fault, FailureClass.ModelError), (failure.Fault, failure.ClassFor(FailureClass.ModelError)));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Contains(source, failure.Message, StringComparison.Ordinal);
        Assert.InRange(hub.HubRequests.Count, 0, 1);
    }

    [Fact]
    public async Task Without_a_token_a_private_model_asks_for_one_and_a_wrong_token_is_never_repeated()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.Token = "hf_right";
        folder.Write("secret/HF_TOKEN", "hf_wrong");

        var stranger = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);
        var wrong = await Make.FailureAsync(Make.Options(folder, hub.Address), Source, folder["secret"]);

        Assert.Equal((SourceFault.Unauthorized, SourceFault.Unauthorized), (stranger.Fault, wrong.Fault));
        Assert.Contains("credentialsRef", stranger.Message, StringComparison.Ordinal);
        Assert.Contains("this token", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_wrong", wrong.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, hub.HubRequests.Count);
    }

    [Fact]
    public async Task A_gated_model_says_what_a_person_has_to_do()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context =>
        {
            context.Response.Headers["X-Error-Code"] = "GatedRepo";
            return Task.FromResult(Answer(context, 403, true));
        };

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Contains("accept its conditions", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pytorch_model.bin", "pickles")]
    [InlineData("README.md", "neither .safetensors nor .gguf")]
    public async Task A_model_without_safe_weights_is_refused_before_anything_is_fetched(string weights, string words)
    {
        await using var hub = await HubDouble.StartAsync(new() { ["config.json"] = Make.Bytes(10), [weights] = Make.Bytes(10) });

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(SourceFault.Unusable, failure.Fault);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Single(hub.HubRequests);
    }

    [Theory]
    [InlineData("a\\evil.json")]
    [InlineData("..\\..\\evil.safetensors")]
    [InlineData("C:evil.json")]
    [InlineData("evil\n.json")]
    [InlineData("additional_chat_templates/..\\..\\evil.jinja")]
    public async Task A_file_name_that_leaves_the_folder_is_refused_before_anything_is_fetched(string name)
    {
        await using var hub = await HubDouble.StartAsync(new(Make.Model()) { [name] = Make.Bytes(10) });

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(SourceFault.Refused, failure.Fault);
        Assert.Contains("no path inside a folder", failure.Message, StringComparison.Ordinal);
        Assert.Single(hub.HubRequests);
    }

    [Theory]
    [InlineData("../../evil.json")]
    [InlineData("../evil.safetensors")]
    [InlineData("/etc/evil.json")]
    public async Task A_file_of_another_folder_is_no_part_of_the_model_and_never_asked_for(string name)
    {
        await using var hub = await HubDouble.StartAsync(new(Make.Model()) { [name] = Make.Bytes(10) });

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Model().Keys.Order(), Directory.GetFileSystemEntries(fetched.Path).Select(Path.GetFileName).Order());
        Assert.DoesNotContain(hub.HubRequests, r => r.Path.Contains("evil", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("-1")]
    [InlineData("many")]
    public async Task A_size_that_no_file_has_is_refused(string size)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context =>
        {
            if (context.Request.Method != "HEAD") return Task.FromResult(false);
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = "http://localhost:1/x";
            context.Response.Headers["X-Linked-Etag"] = "\"abc\"";
            context.Response.Headers["X-Linked-Size"] = size;
            return Task.FromResult(true);
        };

        Assert.Equal(SourceFault.Unusable, (await Make.FailureAsync(Make.Options(folder, hub.Address), Source)).Fault);
    }

    [Theory]
    [InlineData("<html>captive portal</html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"sha": "main", "siblings": []}""")]
    [InlineData("""{"siblings": [{"rfilename": "config.json"}]}""")]
    [InlineData("""{"sha": 7}""")]
    public async Task An_answer_that_is_no_description_is_said_to_be_none(string answer)
    {
        await using var server = await WebDouble.StartAsync(context => context.Response.WriteAsync(answer));

        var failure = await Make.FailureAsync(Make.Options(folder, server.Address), Source);

        Assert.Contains("something else than a model's description", failure.Message, StringComparison.Ordinal);
    }

    private static bool Answer(HttpContext context, int status, bool now, string? retryAfter = null)
    {
        if (!now) return false;
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        return true;
    }
}
