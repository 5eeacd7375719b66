using Graft.Sources.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Graft.Sources.Tests.S3;

/// <summary>A store's refusals, by a double that says what s3rver cannot be brought to say.</summary>
public sealed class S3AnswerTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(403, "SignatureDoesNotMatch", SourceFault.Unauthorized, 1)]
    [InlineData(403, "AccessDenied", SourceFault.Unauthorized, 1)]
    [InlineData(400, "ExpiredToken", SourceFault.Unauthorized, 1)]
    [InlineData(404, "NoSuchBucket", SourceFault.NotFound, 1)]
    [InlineData(503, "SlowDown", SourceFault.Unreachable, 6)]
    [InlineData(500, "InternalError", SourceFault.Unreachable, 6)]
    public async Task A_refusal_says_whose_fault_it_is_and_repeats_nothing_that_was_sent(
        int status, string code, SourceFault fault, int requests)
    {
        await using var store = await StoreAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(
                $"<Error><Code>{code}</Code><Message>you sent wrong-secret and session-token</Message></Error>");
        });

        var failure = await Make.FailureAsync(Make.Options(folder), "s3://models/tiny", folder["secret"]);

        Assert.Equal(fault, failure.Fault);
        Assert.DoesNotContain("wrong-secret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("session-token", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(requests, store.Requests.Count);
    }

    [Theory]
    [InlineData(307)]
    [InlineData(301)]
    public async Task A_redirect_to_another_host_is_not_followed_with_the_credentials(int status)
    {
        await using var other = await WebDouble.StartAsync(context => context.Response.WriteAsync("<ListBucketResult/>"));
        await using var store = await StoreAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = $"http://localhost:{other.Address.Port}/models";
            context.Response.Headers["x-amz-bucket-region"] = "eu-central-1";
            return Task.CompletedTask;
        });

        var failure = await Make.FailureAsync(Make.Options(folder), "s3://models/tiny", folder["secret"]);

        Assert.Equal(SourceFault.Refused, failure.Fault);
        Assert.Contains("the bucket is in the region 'eu-central-1'", failure.Message, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task A_list_without_an_end_is_given_up()
    {
        await using var store = await StoreAsync(context => context.Response.WriteAsync(
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken></ListBucketResult>"));

        var failure = await Make.FailureAsync(Make.Options(folder), "s3://models/tiny", folder["secret"]);

        Assert.Equal(SourceFault.Unusable, failure.Fault);
        Assert.Equal(100, store.Requests.Count);
    }

    [Theory]
    [InlineData("bytes 0-65535/300000")]
    [InlineData("bytes 7-65542/300000")]
    [InlineData("bytes 65536-131071/299999")]
    [InlineData("bytes 18446744073709551615-1/300000")]
    [InlineData("")]
    public async Task Another_range_than_was_asked_for_is_never_taken_for_it(string range)
    {
        await using var store = await StoreAsync(async context =>
        {
            if (context.Request.Path == "/models" || context.Request.Path == "/models/")
            {
                await context.Response.WriteAsync(
                    "<ListBucketResult><Contents><Key>tiny/x.gguf</Key><ETag>\"a-2\"</ETag><Size>300000</Size></Contents>"
                    + "</ListBucketResult>");
                return;
            }
            context.Response.Headers.ETag = "\"a-2\"";
            await WebDouble.SendAsync(context, new byte[300_000]);
        }, context =>
        {
            if (context.Response.StatusCode != 206) return;
            if (context.Response.Headers.ContentRange.ToString().StartsWith("bytes 65536-", StringComparison.Ordinal))
                context.Response.Headers.ContentRange = range;
        });

        var failure = await Make.FailureAsync(Make.Options(folder), "s3://models/tiny/x.gguf", folder["secret"]);

        Assert.Equal(SourceFault.Corrupt, failure.Fault);
        Assert.Contains("bytes from 65536 of 300000 were asked for", failure.Message, StringComparison.Ordinal);
    }

    private async Task<WebDouble> StoreAsync(Func<HttpContext, Task> answer, Action<HttpContext>? beforeHead = null)
    {
        var store = await WebDouble.StartAsync(context =>
        {
            context.Response.ContentType = "application/xml";
            if (beforeHead is not null)
            {
                context.Response.OnStarting(() =>
                {
                    beforeHead(context);
                    return Task.CompletedTask;
                });
            }
            return answer(context);
        });
        folder.Write("secret/AWS_ACCESS_KEY_ID", "id");
        folder.Write("secret/AWS_SECRET_ACCESS_KEY", "wrong-secret");
        folder.Write("secret/AWS_SESSION_TOKEN", "session-token");
        folder.Write("secret/AWS_ENDPOINT_URL", store.Address.ToString());
        return store;
    }
}
