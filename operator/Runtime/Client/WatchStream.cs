using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;

namespace Graft.Runtime;

public enum WatchChange
{
    Added,
    Modified,
    Deleted,

    /// <summary>Only the resource version moved on; there is no object.</summary>
    Bookmark,

    /// <summary>An object that cannot be read as the type; <see cref="WatchEvent{T}.Problem"/> says why. The stream goes on.</summary>
    Unreadable,
}

/// <param name="Object">Null for a bookmark, and for an object that cannot be read.</param>
/// <param name="Key">Which object; empty for a bookmark.</param>
public sealed record WatchEvent<T>(WatchChange Change, T? Object, string ResourceVersion, ObjectKey Key = default, string? Problem = null)
    where T : class;

/// <summary>
/// A watch whose start is known: it exists as soon as the server's headers are there. Enumerate it once; it ends when the server
/// closes it, and throws <see cref="ApiException"/> for an ERROR event (410 among them) and <see cref="IOException"/> or
/// <see cref="HttpRequestException"/> for a broken connection.
/// </summary>
public sealed class WatchStream<T> : IAsyncEnumerable<WatchEvent<T>>, IDisposable where T : class
{
    // Objects are at most some MiB (etcd's limit is 1.5); anything longer is no event.
    private const int MaxEventBytes = 32 << 20;
    private readonly HttpResponseMessage _response;
    private readonly string _request;

    internal WatchStream(HttpResponseMessage response, string request)
    {
        _response = response;
        _request = request;
    }

    public void Dispose() => _response.Dispose();

    public async IAsyncEnumerator<WatchEvent<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var stream = await _response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var reader = PipeReader.Create(stream);
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                var buffer = result.Buffer;
                while (TakeLine(ref buffer, result.IsCompleted) is { } line)
                    if (!IsBlank(line))
                        yield return Parse(line);
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (buffer.Length > MaxEventBytes)
                    throw new InvalidDataException($"An event of {_request} is longer than {MaxEventBytes >> 20} MiB.");
                if (result.IsCompleted)
                    yield break;
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
            Dispose();
        }
    }

    private static ReadOnlySequence<byte>? TakeLine(ref ReadOnlySequence<byte> buffer, bool last)
    {
        if (buffer.PositionOf((byte)'\n') is { } end)
        {
            var line = buffer.Slice(0, end);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
            return line;
        }

        if (!last || buffer.IsEmpty)
            return null;
        var rest = buffer;
        buffer = buffer.Slice(buffer.End);
        return rest;
    }

    private static bool IsBlank(ReadOnlySequence<byte> line) => line.Length < 4 && line.ToArray().All(b => b is (byte)' ' or (byte)'\r');

    private WatchEvent<T> Parse(ReadOnlySequence<byte> line)
    {
        using var document = ParseLine(line);
        var root = document.RootElement;
        var type = root.GetProperty("type").GetString();
        var content = root.GetProperty("object");
        if (type == "ERROR")
        {
            var status = ApiStatus.Parse(content);
            throw new ApiException((HttpStatusCode)status.Code, status, _request);
        }

        var meta = content.TryGetProperty("metadata", out var m) ? m : default;
        var version = meta.ValueKind == JsonValueKind.Object && meta.TryGetProperty("resourceVersion", out var v) ? v.GetString() ?? "" : "";
        if (type == "BOOKMARK")
            return new WatchEvent<T>(WatchChange.Bookmark, null, version);
        try
        {
            var change = type switch
            {
                "ADDED" => WatchChange.Added,
                "MODIFIED" => WatchChange.Modified,
                "DELETED" => WatchChange.Deleted,
                _ => throw new JsonException($"The event type '{type}' is not known."),
            };
            return new WatchEvent<T>(change, ObjectJson.Read<T>(content), version, ObjectJson.KeyOf(content));
        }
        catch (Exception e) when (e is JsonException or FormatException or NotSupportedException or ArgumentException)
        {
            var key = ObjectJson.KeyOf(content);
            // That an object is gone can be told without reading it.
            return new WatchEvent<T>(
                type == "DELETED" ? WatchChange.Deleted : WatchChange.Unreadable, null, version, key, $"{typeof(T).Name} '{key}' cannot be read: {e.Message}");
        }
    }

    private JsonDocument ParseLine(ReadOnlySequence<byte> line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            // A line cut off by a broken connection: the watch is resumed as after any lost connection.
            throw new IOException($"{_request} sent a line that is no event.", e);
        }
    }
}
