using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.Runtime;

/// <summary>
/// One leader at a time by a Lease of coordination.k8s.io. Whether another's lease has run out is judged by when this process saw it
/// change, never by the times written in it, so clocks need not agree. A released lease is taken at once; a failed request costs
/// leadership only when none succeeds within the renew deadline; on a stop the lease is released.
/// </summary>
public sealed class LeaderElector
{
    private static readonly ResourceKind LeaseKind = ResourceKind.Of<V1Lease>();
    private readonly ResourceClient<JsonObject> _leases;
    private readonly LeaderElectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Random _jitter;

    // The last lease seen, and when it was first seen in this form.
    private JsonObject? _lease;
    private string _observedSpec = "";
    private long _observedAt;

    public LeaderElector(ApiClient client, LeaderElectionOptions options, TimeProvider? time = null, ILogger? logger = null, Random? jitter = null)
    {
        if (options.RenewDeadline >= options.LeaseDuration || options.RetryPeriod >= options.RenewDeadline)
            throw new ArgumentException("It must hold that retry period < renew deadline < lease duration.", nameof(options));
        // Raw objects: a typed write would drop fields of the lease that this version does not know.
        _leases = client.Resource(LeaseKind);
        (_options, _time, _logger, _jitter) = (options, time ?? TimeProvider.System, logger ?? NullLogger.Instance, jitter ?? Seeded.Random());
    }

    public bool IsLeader { get; private set; }

    /// <summary>Who leads, as far as this process knows.</summary>
    public string? Leader => Holder(_lease);

    /// <summary>
    /// Waits for leadership, then runs the work until it ends, leadership is lost or ct is cancelled; the work's token is cancelled
    /// in the last two cases. A caller that gets false must end its process, since another may lead already.
    /// </summary>
    /// <returns>False when leadership was lost.</returns>
    public async Task<bool> RunAsync(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        while (!await TryAcquireOrRenewAsync(ct).ConfigureAwait(false))
            await PauseAsync(ct).ConfigureAwait(false);
        IsLeader = true;
        _logger.LogInformation("{Identity} leads", _options.Identity);
        using var leading = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var renewing = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var working = Task.Run(() => work(leading.Token), CancellationToken.None);
        var renewal = RenewAsync(renewing.Token);
        try
        {
            await Task.WhenAny(working, renewal).ConfigureAwait(false);
            if (renewal.IsCompleted && !ct.IsCancellationRequested)
            {
                IsLeader = false;
                _logger.LogCritical("{Identity} lost the lease", _options.Identity);
                await leading.CancelAsync().ConfigureAwait(false);
                return false;
            }

            // Keep the lease until the work has stopped, so that no other starts beside it.
            await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await renewing.CancelAsync().ConfigureAwait(false);
            await renewal.ConfigureAwait(false);
            await ReleaseAsync().ConfigureAwait(false);
            if (!ct.IsCancellationRequested)
                await working.ConfigureAwait(false);
            return true;
        }
        finally
        {
            IsLeader = false;
            await renewing.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Renews until cancelled or until leadership is lost.</summary>
    private async Task RenewAsync(CancellationToken ct)
    {
        var renewed = _time.GetTimestamp();
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(_options.RetryPeriod, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested)
                return;
            var left = _options.RenewDeadline - _time.GetElapsedTime(renewed);
            if (left <= TimeSpan.Zero)
                return;
            // A request that hangs must leave time for another one before the deadline.
            var longest = _options.RenewDeadline / 2;
            using var limit = new CancellationTokenSource(left < longest ? left : longest, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
            if (await TryAcquireOrRenewAsync(both.Token).ConfigureAwait(false))
                renewed = _time.GetTimestamp();
            else if (Holder(_lease) is { Length: > 0 } other && other != _options.Identity)
                return;
        }
    }

    /// <summary>One attempt; false on any trouble but a cancellation by the caller.</summary>
    private async Task<bool> TryAcquireOrRenewAsync(CancellationToken ct)
    {
        try
        {
            var found = await _leases.GetAsync(_options.Name, _options.Namespace, ct).ConfigureAwait(false);
            if (found is null)
            {
                Observe(await _leases.CreateAsync(NewLease(), null, ct).ConfigureAwait(false));
                return true;
            }

            Observe(found);
            var holder = Holder(found);
            // Nobody holds a released lease: its holder is empty or absent.
            if (!string.IsNullOrEmpty(holder) && holder != _options.Identity && _time.GetElapsedTime(_observedAt) < DurationOf(found))
                return false;
            Observe(await _leases.UpdateAsync(Taken(found, holder), null, ct).ConfigureAwait(false));
            return true;
        }
        catch (OperationCanceledException)
        {
            // A stop is noticed by the loops; a request that ran into the deadline is a failure like any other.
            return false;
        }
        catch (ApiException e) when (e.IsConflict || e.IsAlreadyExists)
        {
            _logger.LogDebug("Another process wrote the lease first");
            return false;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException or TimeoutException)
        {
            _logger.LogWarning("The lease could not be read or written: {Error}", e.Message);
            return false;
        }
    }

    private async Task ReleaseAsync()
    {
        if (_lease is null || Holder(_lease) != _options.Identity)
            return;
        var released = (JsonObject)_lease.DeepClone();
        var spec = (JsonObject)released["spec"]!;
        spec["holderIdentity"] = "";
        spec["leaseDurationSeconds"] = 1;
        spec["renewTime"] = Micro(_time.GetUtcNow());
        using var limit = new CancellationTokenSource(_options.RetryPeriod, _time);
        try
        {
            await _leases.UpdateAsync(released, null, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            _logger.LogInformation("The lease could not be released and will run out instead: {Error}", e.Message);
        }
    }

    private void Observe(JsonObject lease)
    {
        var spec = lease["spec"]?.ToJsonString() ?? "";
        if (_lease is null || spec != _observedSpec)
            (_observedSpec, _observedAt) = (spec, _time.GetTimestamp());
        _lease = lease;
    }

    private JsonObject NewLease() => new()
    {
        ["apiVersion"] = LeaseKind.ApiVersion,
        ["kind"] = LeaseKind.Kind,
        ["metadata"] = new JsonObject { ["name"] = _options.Name, ["namespace"] = _options.Namespace },
        ["spec"] = new JsonObject
        {
            ["holderIdentity"] = _options.Identity,
            ["leaseDurationSeconds"] = (int)_options.LeaseDuration.TotalSeconds,
            ["acquireTime"] = Micro(_time.GetUtcNow()),
            ["renewTime"] = Micro(_time.GetUtcNow()),
            ["leaseTransitions"] = 0,
        },
    };

    private JsonObject Taken(JsonObject lease, string? holder)
    {
        var taken = (JsonObject)lease.DeepClone();
        var spec = taken["spec"] as JsonObject;
        if (spec is null)
            taken["spec"] = spec = [];
        if (holder != _options.Identity)
        {
            spec["acquireTime"] = Micro(_time.GetUtcNow());
            spec["leaseTransitions"] = (spec["leaseTransitions"]?.GetValue<int>() ?? 0) + 1;
        }

        spec["holderIdentity"] = _options.Identity;
        spec["leaseDurationSeconds"] = (int)_options.LeaseDuration.TotalSeconds;
        spec["renewTime"] = Micro(_time.GetUtcNow());
        return taken;
    }

    private TimeSpan DurationOf(JsonObject lease) =>
        lease["spec"]?["leaseDurationSeconds"] is { } seconds ? TimeSpan.FromSeconds(seconds.GetValue<int>()) : _options.LeaseDuration;

    private static string? Holder(JsonObject? lease) => (string?)lease?["spec"]?["holderIdentity"];

    /// <summary>MicroTime: the server wants all six digits.</summary>
    private static string Micro(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private Task PauseAsync(CancellationToken ct) => Task.Delay(_options.RetryPeriod * (1 + _jitter.NextDouble() * 1.2), _time, ct);
}
