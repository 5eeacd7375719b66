using System.Text;

namespace Graft.LocalCluster.Kubelet.Logs;

/// <summary>
/// Copies a container's standard output and error into its log file, line by line and flushed at once, so that a follower
/// sees a line when it was written.
/// </summary>
internal sealed class LogWriter : IAsyncDisposable
{
    /// <summary>Longer lines come in parts, as container runtimes do it.</summary>
    private const int MaxLine = 16 * 1024;

    private readonly FileStream _file;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _gate = new(1, 1);

    public LogWriter(string path, TimeProvider time)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0, useAsync: false);
        _time = time;
    }

    /// <summary>Copies until the stream ends; the last line counts without a line feed.</summary>
    public async Task CopyAsync(Stream from, string stream, CancellationToken cancel)
    {
        var buffer = new byte[MaxLine];
        var held = 0; // bytes of an unfinished line at the front of the buffer
        while (true)
        {
            var read = await from.ReadAsync(buffer.AsMemory(held), cancel).ConfigureAwait(false);
            if (read == 0) break;
            var filled = held + read;
            var start = 0;
            while (buffer.AsSpan(start, filled - start).IndexOf((byte)'\n') is var length and >= 0)
            {
                await WriteAsync(buffer.AsMemory(start, length), stream, partial: false).ConfigureAwait(false);
                start += length + 1;
            }
            held = filled - start;
            if (held == buffer.Length)
            {
                await WriteAsync(buffer, stream, partial: true).ConfigureAwait(false);
                held = 0;
            }
            else if (start > 0)
            {
                buffer.AsSpan(start, held).CopyTo(buffer);
            }
        }
        if (held > 0) await WriteAsync(buffer.AsMemory(0, held), stream, partial: false).ConfigureAwait(false);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> text, string stream, bool partial)
    {
        var prefix = Encoding.ASCII.GetBytes(LogLine.Prefix(_time.GetUtcNow(), stream, partial));
        var line = new byte[prefix.Length + text.Length + 1];
        prefix.CopyTo(line, 0);
        text.CopyTo(line.AsMemory(prefix.Length));
        line[^1] = (byte)'\n';
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            // One write for each line: a reader never sees half a prefix.
            await _file.WriteAsync(line).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync().ConfigureAwait(false);
        _gate.Dispose();
    }
}
