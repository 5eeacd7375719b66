using System.Text;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>Reads complete lines of a file that is still being written.</summary>
internal sealed class LogTail : IDisposable
{
    private readonly FileStream _file;
    private readonly Queue<string> _lines = new();
    private readonly MemoryStream _partial = new();
    private readonly byte[] _chunk = new byte[64 * 1024];

    private LogTail(FileStream file) => _file = file;

    /// <summary>Opens the file, with all but its last lines skipped; null if it is not there (yet).</summary>
    public static LogTail? Open(string path, long? lastLines)
    {
        try
        {
            var tail = new LogTail(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            if (lastLines is { } wanted)
                tail.SkipToLast(wanted);
            return tail;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The next line; null when there is none (yet). At the end of all writing, an unfinished line counts as one.</summary>
    public string? ReadLine(bool atEnd)
    {
        while (_lines.Count == 0 && Fill())
        {
            // A chunk may lie inside one long line.
        }
        if (_lines.TryDequeue(out var line))
            return line;
        if (!atEnd || _partial.Length == 0)
            return null;
        return TakePartial();
    }

    public void Dispose() => _file.Dispose();

    private void SkipToLast(long wanted)
    {
        while (Fill())
        {
            while (_lines.Count > wanted)
                _lines.Dequeue();
        }
    }

    private bool Fill()
    {
        var read = _file.Read(_chunk);
        var rest = _chunk.AsSpan(0, read);
        while (rest.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _partial.Write(rest[..end]);
            _lines.Enqueue(TakePartial());
            rest = rest[(end + 1)..];
        }
        _partial.Write(rest);
        return read > 0;
    }

    private string TakePartial()
    {
        var line = Encoding.UTF8.GetString(_partial.GetBuffer().AsSpan(0, (int)_partial.Length));
        _partial.SetLength(0);
        return line;
    }
}
