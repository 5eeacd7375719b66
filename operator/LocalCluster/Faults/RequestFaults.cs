using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Graft.LocalCluster.Api;
using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Graft.LocalCluster.Faults;

/// <summary>Does to requests what a plan decides, before and after they are served. Only requests for resources have faults.</summary>
internal sealed class RequestFaults(FaultInjector injector, ObjectStore store, TimeProvider time, CancellationToken stopping)
{
    private readonly VersionHistory _history = new();

    public async Task HandleAsync(HttpContext http, Func<HttpContext, Task> serve)
    {
        var access = AccessRequest.Of(http.Request);
        if (injector.IsIdle || access.Path.Length > 0)
        {
            await serve(http);
            return;
        }
        var decision = injector.Decide(await RequestAsync(http, access));
        _history.See(time.GetUtcNow(), store.ResourceVersion);
        if (decision.Request.Verb == "watch")
            await WatchAsync(http, decision, serve);
        else if (decision.Fault?.NeedsAnswer == true)
            await AfterAsync(http, decision, serve);
        else if (await BeforeAsync(http, decision))
            await ServeAsync(http, decision, serve);
        _history.See(time.GetUtcNow(), store.ResourceVersion);
    }

    private static async Task<FaultRequest> RequestAsync(HttpContext http, AccessRequest access)
    {
        var agent = http.Request.Headers.UserAgent.ToString();
        return new FaultRequest(
            http.Features.Get<Requester>()?.User ?? "",
            agent.Split('/', ' ')[0],
            http.Request.Query["fieldManager"].ToString(),
            access.Verb,
            new GroupResource(access.Group, access.Resource).ToString(),
            access.Subresource,
            access.Namespace,
            access is { Verb: "create", Name: "" } ? await NameOfNewAsync(http.Request) : access.Name);
    }

    /// <summary>A creation has its name in its body only.</summary>
    private static async Task<string> NameOfNewAsync(HttpRequest request)
    {
        var body = await BodyDecoder.ReadBytesAsync(request);
        request.Body = new MemoryStream(body);
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("metadata", out var metadata)
                || metadata.ValueKind != JsonValueKind.Object)
                return "";
            return Text("name") is { Length: > 0 } name ? name : Text("generateName");

            string Text(string field) =>
                metadata.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        }
        catch (JsonException)
        {
            // Another format, or none: the server says so, if it minds.
            return "";
        }
    }

    private async Task ServeAsync(HttpContext http, FaultDecision decision, Func<HttpContext, Task> serve)
    {
        var served = false;
        try
        {
            await serve(http);
            served = true;
        }
        finally
        {
            injector.Record(decision, served && IsCommitted(http, decision));
        }
    }

    private static bool IsCommitted(HttpContext http, FaultDecision decision) =>
        decision.Request.IsWrite && http.Response.StatusCode < 300 && http.Request.Query["dryRun"].Count == 0;

    /// <summary>What befalls a request before it is served.</summary>
    /// <returns>Whether it is served then.</returns>
    private async Task<bool> BeforeAsync(HttpContext http, FaultDecision decision)
    {
        switch (decision.Fault)
        {
            case Fault.Delay delay:
                injector.Fire(decision);
                await WaitAsync(delay.For, http);
                return true;
            case Fault.Drop:
                injector.Fire(decision);
                await WaitAsync(Timeout.InfiniteTimeSpan, http);
                return false;
            case Fault.Status status:
                injector.Fire(decision);
                await FaultAnswers.WriteAsync(http, decision.Request, status);
                return false;
            case Fault.Reset:
                injector.Fire(decision);
                http.Abort();
                return false;
            case Fault.Expire { AfterEvents: null }:
                injector.Fire(decision);
                throw FaultAnswers.Expired(decision.Request.Verb);
            case Fault.Jump jump:
                injector.Fire(decision);
                injector.Jump(jump.By);
                return true;
            case Fault.Stale stale:
                ReadStale(http, decision, stale);
                return true;
            default:
                return true;
        }
    }

    /// <summary>What befalls the answer.</summary>
    private async Task AfterAsync(HttpContext http, FaultDecision decision, Func<HttpContext, Task> serve)
    {
        using var answer = new HeldAnswer(http);
        ExceptionDispatchInfo? refused = null;
        try
        {
            await serve(http);
        }
        catch (ApiException e)
        {
            refused = ExceptionDispatchInfo.Capture(e);
        }
        await answer.ReleaseAsync();
        var committed = refused is null && IsCommitted(http, decision);
        injector.Record(decision, committed);
        switch (decision.Fault)
        {
            case Fault.Drop:
                injector.Fire(decision);
                await WaitAsync(Timeout.InfiniteTimeSpan, http);
                return;
            case Fault.Status status:
                injector.Fire(decision);
                http.Response.Clear();
                await FaultAnswers.WriteAsync(http, decision.Request, status);
                return;
            case Fault.Reset:
                injector.Fire(decision);
                http.Abort();
                return;
            case Fault.Crash when committed:
                await (injector.Crashing?.Invoke(injector.Fire(decision), stopping) ?? Task.CompletedTask);
                http.Abort();
                return;
            case Fault.Delay delay:
                injector.Fire(decision);
                await WaitAsync(delay.For, http);
                break;
            default:
                break;
        }
        refused?.Throw();
        await answer.SendAsync();
    }

    private async Task WatchAsync(HttpContext http, FaultDecision decision, Func<HttpContext, Task> serve)
    {
        injector.Record(decision, committed: false);
        if (!await BeforeAsync(http, decision))
            return;
        var original = http.Features.Get<IHttpResponseBodyFeature>()!;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var watch = new FaultyWatch(original.Stream, injector, decision.Request, decision, time, broken =>
        {
            if (broken)
                http.Abort();
            ending.Cancel();
        });
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(watch, original));
        // To the watch a cut is a client that has gone.
        http.RequestAborted = ending.Token;
        http.Response.ContentType = "application/json";
        try
        {
            if (await watch.BeginAsync(ending.Token))
                await serve(http);
        }
        finally
        {
            http.Features.Set(original);
            await watch.CloseAsync();
        }
    }

    private void ReadStale(HttpContext http, FaultDecision decision, Fault.Stale stale)
    {
        var query = http.Request.Query;
        var asked = query["resourceVersion"].ToString();
        if (query["continue"].Count > 0 || !(asked == "0" || (stale.Always && asked.Length == 0)))
            return;
        var target = RequestTarget.Parse(http.Request.Path.Value ?? "/")!;
        var newest = store.ResourceVersion;
        var version = Math.Max(1, stale.Versions is { } versions
            ? newest - versions
            : _history.At(time.GetUtcNow() - stale.Age!.Value) ?? newest);
        TableSnapshot past;
        try
        {
            past = store.SnapshotAt(new GroupResource(target.Group, target.Resource), version);
        }
        catch (ExpiredVersionException)
        {
            // So far back that nobody remembers it.
            return;
        }
        injector.Fire(decision, stale with { Versions = Math.Max(1, newest - version), Age = null });
        http.Features.Set(new StaleRead(past));
        if (decision.Request.Verb != "list")
            return;
        var options = query.Where(option => option.Key is not ("resourceVersion" or "resourceVersionMatch"))
            .Append(new("resourceVersion", version.ToString(CultureInfo.InvariantCulture))).Append(new("resourceVersionMatch", "Exact"));
        http.Request.QueryString = QueryString.Create(options);
    }

    private async Task WaitAsync(TimeSpan duration, HttpContext http)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        await Task.Delay(duration, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested)
            http.Abort();
    }
}
