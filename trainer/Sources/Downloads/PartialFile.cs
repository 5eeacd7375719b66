using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Graft.Sources.Downloads;

/// <summary>
/// A file that is on its way: its bytes beside a list of the chunks that are complete, so that a process that was killed loses at
/// most the chunks that it was in the middle of. The list is written after the bytes; the digest at the end finds what it got wrong.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string data;
    private readonly string list;
    private readonly SafeFileHandle bytes;
    private readonly FileStream marks;
    private readonly HashSet<int> complete;
    private readonly Lock gate = new();
    private readonly int chunkBytes;
    private readonly long size;

    private PartialFile(string data, string list, SafeFileHandle bytes, FileStream marks, HashSet<int> complete, int chunkBytes, long size)
    {
        (this.data, this.list, this.bytes, this.marks, this.complete) = (data, list, bytes, marks, complete);
        (this.chunkBytes, this.size) = (chunkBytes, size);
    }

    /// <summary>Opens what an earlier process left for these bytes, or begins. Call it under the blob's lock.</summary>
    /// <param name="blob">Path of the blob to be. A prefix that Python's client left beside it is taken over.</param>
    public static PartialFile Open(string blob, long size, int chunkBytes)
    {
        var (data, list, prefix) = (blob + ".graft-incomplete", blob + ".graft-chunks", blob + ".incomplete");
        // Whoever shares the cache could let them lead to any file, which would be written.
        foreach (var link in new[] { data, list, prefix }.Where(p => new FileInfo(p).LinkTarget is not null)) File.Delete(link);
        var head = string.Create(CultureInfo.InvariantCulture, $"{size} {chunkBytes}");
        var complete = ReadList(list, head, Chunks(size, chunkBytes));
        if (complete is null || !File.Exists(data) || new FileInfo(data).Length != size)
        {
            complete = [];
            File.Delete(data);
            if (File.Exists(prefix))
            {
                var known = new FileInfo(prefix).Length;
                if (known <= size) File.Move(prefix, data);
                for (var i = 0; i < known / chunkBytes && known <= size; i++) complete.Add(i);
            }
            File.WriteAllText(list, head + "\n" + string.Concat(complete.Select(i => i.ToString(CultureInfo.InvariantCulture) + "\n")));
        }
        var bytes = File.OpenHandle(data, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, FileOptions.Asynchronous);
        RandomAccess.SetLength(bytes, size);
        return new(data, list, bytes, new FileStream(list, FileMode.Append, FileAccess.Write, FileShare.Read), complete, chunkBytes, size);
    }

    /// <summary>Bytes in chunks that are complete.</summary>
    public long Done => complete.Sum(i => Span(i).Length);

    public IReadOnlyList<int> Missing => [.. Enumerable.Range(0, Chunks(size, chunkBytes)).Where(i => !complete.Contains(i))];

    public ByteSpan Span(int chunk) =>
        new((long)chunk * chunkBytes, Math.Min(chunkBytes, size - ((long)chunk * chunkBytes)));

    public ValueTask WriteAsync(long at, ReadOnlyMemory<byte> block, CancellationToken cancellation) =>
        RandomAccess.WriteAsync(bytes, block, at, cancellation);

    public void Complete(int chunk)
    {
        lock (gate)
        {
            if (!complete.Add(chunk)) return;
            marks.Write(System.Text.Encoding.ASCII.GetBytes(chunk.ToString(CultureInfo.InvariantCulture) + "\n"));
            marks.Flush();
        }
    }

    /// <summary>Closes it, checks it, and gives it its name in one step; what fails the check is thrown away.</summary>
    /// <returns>Null when it is there now; else what is wrong with it.</returns>
    public async Task<string?> PublishAsync(string blob, FileCheck check, CancellationToken cancellation)
    {
        RandomAccess.FlushToDisk(bytes);
        Dispose();
        var problem = await check.ProblemOfAsync(data, size, cancellation);
        if (problem is null) File.Move(data, blob, overwrite: true);
        else File.Delete(data);
        File.Delete(list);
        return problem;
    }

    public void Dispose()
    {
        bytes.Dispose();
        marks.Dispose();
    }

    private static int Chunks(long size, int chunkBytes) => checked((int)((size + chunkBytes - 1) / chunkBytes));

    // Null: there is no list, or it speaks of another division. A last line that was cut short is ignored.
    private static HashSet<int>? ReadList(string path, string head, int chunks)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > 16 << 20) return null;
        var text = File.ReadAllText(path);
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0] != head) return null;
        return [.. lines.Skip(1)
            .Select(l => int.TryParse(l, NumberStyles.None, CultureInfo.InvariantCulture, out var chunk) ? chunk : -1)
            .Where(c => c >= 0 && c < chunks)];
    }
}
