using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.Runtime;

public enum EventType
{
    Normal,
    Warning,
}

/// <summary>Tells people about an object; they see it in `kubectl describe` and `kubectl events`.</summary>
public delegate Task EventPublisher(
    IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type = EventType.Normal, CancellationToken ct = default);

/// <summary>
/// Writes core/v1 events in the background: equal ones are counted, many similar ones combined, floods dropped. Publishing never
/// waits and never fails; an event that cannot be written is logged.
/// </summary>
public sealed class EventRecorder : IAsyncDisposable
{
    private const int Waiting = 1000;
    private static readonly ResourceKind EventKind = ResourceKind.Of<Corev1Event>();
    private readonly ResourceClient<JsonObject> _events;
    private readonly string _component;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventCorrelator _correlator;
    private readonly Channel<Written> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writer;
    private long _sequence;

    /// <param name="component">Who reports, for instance `graft-operator`.</param>
    public EventRecorder(ApiClient client, string component, TimeProvider? time = null, ILogger? logger = null)
    {
        (_component, _time, _logger) = (component, time ?? TimeProvider.System, logger ?? NullLogger.Instance);
        _events = client.Resource(EventKind);
        _correlator = new EventCorrelator(_time);
        _queue = Channel.CreateBounded<Written>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        _writer = Task.Run(WriteAllAsync);
    }

    public void Publish(IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type = EventType.Normal)
    {
        var kind = ResourceKind.Of(entity.GetType());
        var regarding = new EventSubject(
            kind.ApiVersion, kind.Kind, entity.Metadata.NamespaceProperty ?? "", entity.Metadata.Name, entity.Metadata.Uid ?? "",
            entity.Metadata.ResourceVersion ?? "");
        if (!_queue.Writer.TryWrite(new Written(regarding, reason, message, type, _time.GetUtcNow(), null)))
            _logger.LogWarning("Too many events wait; dropped {Reason} of {Name}", reason, regarding.Name);
    }

    /// <inheritdoc cref="EventPublisher"/>
    public Task PublishAsync(
        IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type = EventType.Normal, CancellationToken ct = default)
    {
        Publish(entity, reason, message, type);
        return Task.CompletedTask;
    }

    /// <summary>Completes when everything published so far has been written or given up.</summary>
    public async Task FlushAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new Written(EventSubject.None, "", "", EventType.Normal, default, done)).ConfigureAwait(false);
        await done.Task.ConfigureAwait(false);
    }

    /// <summary>Writes what still waits, for at most two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _stop.CancelAfter(TimeSpan.FromSeconds(2));
        await _writer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task WriteAllAsync()
    {
        await foreach (var e in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            if (e.Flushed is not null)
            {
                e.Flushed.SetResult();
                continue;
            }

            try
            {
                await WriteAsync(e).ConfigureAwait(false);
            }
            catch (Exception error) when (error is ApiException or HttpRequestException or IOException or TimeoutException)
            {
                _logger.LogWarning("Event {Reason} of {Name} could not be written: {Error}", e.Reason, e.Regarding.Name, error.Message);
            }
        }
    }

    private async Task WriteAsync(Written e)
    {
        if (_correlator.Correlate(e.Regarding, e.Type, e.Reason, e.Message) is not { } record)
            return;
        var ns = e.Regarding.Namespace.Length > 0 ? e.Regarding.Namespace : "default";
        if (record.Name is not null)
        {
            var patch = new JsonObject { ["count"] = record.Count, ["message"] = record.Message, ["lastTimestamp"] = Seconds(e.At) };
            try
            {
                await _events.PatchAsync(record.Name, ns, Patch.Merge(patch), ct: _stop.Token).ConfigureAwait(false);
                return;
            }
            catch (ApiException error) when (error.IsNotFound)
            {
                // Events are kept for an hour only: begin a new one that goes on counting.
            }
        }

        var created = NewEvent(e, record, ns);
        await _events.CreateAsync(created, null, _stop.Token).ConfigureAwait(false);
        record.Created((string)created["metadata"]!["name"]!, e.At);
    }

    private JsonObject NewEvent(Written e, EventRecord record, string ns)
    {
        // Unlike any other event's name: the time in ticks, and a number within it.
        var suffix = string.Create(CultureInfo.InvariantCulture, $"{e.At.UtcTicks + _sequence++:x}");
        var name = e.Regarding.Name.Length > 230 ? e.Regarding.Name[..230] : e.Regarding.Name;
        return new JsonObject
        {
            ["apiVersion"] = EventKind.ApiVersion,
            ["kind"] = EventKind.Kind,
            ["metadata"] = new JsonObject { ["name"] = $"{name}.{suffix}", ["namespace"] = ns },
            ["involvedObject"] = e.Regarding.ToJson(),
            ["reason"] = e.Reason,
            ["message"] = record.Message,
            ["type"] = e.Type.ToString(),
            ["count"] = record.Count,
            ["firstTimestamp"] = Seconds(record.First ?? e.At),
            ["lastTimestamp"] = Seconds(e.At),
            ["source"] = new JsonObject { ["component"] = _component },
            ["reportingComponent"] = _component,
            ["reportingInstance"] = "",
        };
    }

    private static string Seconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private sealed record Written(
        EventSubject Regarding, string Reason, string Message, EventType Type, DateTimeOffset At, TaskCompletionSource? Flushed);
}

/// <summary>The object that an event is about.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string Uid, string ResourceVersion)
{
    public static readonly EventSubject None = new("", "", "", "", "", "");

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["apiVersion"] = ApiVersion, ["kind"] = Kind, ["name"] = Name, ["uid"] = Uid, ["resourceVersion"] = ResourceVersion };
        if (Namespace.Length > 0)
            json["namespace"] = Namespace;
        return json;
    }
}
