using System.Globalization;
using Graft.Sources.Cache;
using Graft.Sources.Network;

namespace Graft.Sources.Downloads;

/// <summary>
/// Fetches files into a repository of the cache: in parallel, in ranges, resumed, checked, and each by one process at a time.
/// </summary>
internal sealed class Downloader(FetchOptions options, SourceHttp http, ProgressMeter meter) : IDisposable
{
    private const int BufferBytes = 256 << 10;

    // Far above any file of a model; larger numbers are meant to overflow something.
    private const long LargestFile = 1L << 42;
    private readonly SemaphoreSlim connections = new(options.Transfer.Connections);
    private readonly Retrier retrier = http.Retrier;

    /// <summary>Every blob is in the cache afterwards.</summary>
    public async Task FetchAsync(RepositoryCache cache, IReadOnlyList<RemoteFile> files, CancellationToken cancellation)
    {
        var unique = files.DistinctBy(f => f.Blob).ToList();
        if (unique.Find(f => f.Size > LargestFile) is { } large)
            throw new SourceException(
                SourceFault.Unusable, string.Create(CultureInfo.InvariantCulture, $"{large.Name} is announced with {large.Size} bytes"));
        meter.Announce(unique.Sum(f => f.Size));
        RequireSpace(cache, unique);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var work = unique.Select(async file =>
        {
            try
            {
                await FetchAsync(cache, file, failed.Token);
            }
            catch
            {
                // One that failed ends the others: what they have is kept for the next attempt.
                await failed.CancelAsync();
                throw;
            }
        }).ToList();
        try
        {
            await Task.WhenAll(work);
        }
        catch
        {
            var errors = work.Where(t => t.IsFaulted).Select(t => t.Exception!.InnerException!).ToList();
            throw errors.Count == 0 ? new OperationCanceledException(cancellation) : Storage(errors[0]);
        }
    }

    public void Dispose() => connections.Dispose();

    private async Task FetchAsync(RepositoryCache cache, RemoteFile file, CancellationToken cancellation)
    {
        var blob = cache.Blob(file.Blob);
        if (Has(blob, file)) return;
        using var mine = await TakeAsync(cache, file, cancellation);
        // Another process may have been at it in the meantime.
        if (Has(blob, file)) return;
        var problem = await TransferAsync(blob, file, cancellation);
        // Once more from the start: what lay there may have been broken by something that ended before.
        if (problem is not null) problem = await TransferAsync(blob, file, cancellation);
        if (problem is not null) throw new SourceException(SourceFault.Corrupt, $"{file.Name} came broken, twice: {problem}");
    }

    private async Task<FileLock> TakeAsync(RepositoryCache cache, RemoteFile file, CancellationToken cancellation)
    {
        using var wait = new ProgressMeter.Wait(meter);
        return await FileLock.TakeAsync(cache.LockOf(file.Blob), options.Time, () => wait.Sees(cache.Begun(file.Blob)), cancellation);
    }

    private bool Has(string blob, RemoteFile file)
    {
        if (!File.Exists(blob) || new FileInfo(blob).Length != file.Size) return false;
        meter.Add(file.Size);
        return true;
    }

    private async Task<string?> TransferAsync(string blob, RemoteFile file, CancellationToken cancellation)
    {
        using var partial = PartialFile.Open(blob, file.Size, options.Transfer.ChunkBytes);
        var counted = meter.For(partial.Done);
        try
        {
            await Parallel.ForEachAsync(partial.Missing,
                new ParallelOptions { MaxDegreeOfParallelism = options.Transfer.Connections, CancellationToken = cancellation },
                async (chunk, stop) => await ChunkAsync(partial, file, chunk, counted, stop));
        }
        catch (RangesUnknownException)
        {
            counted.Restart();
            await WholeAsync(partial, file, counted, cancellation);
        }
        var problem = await partial.PublishAsync(blob, file.Check, cancellation);
        if (problem is not null) counted.Restart();
        return problem;
    }

    private async Task ChunkAsync(
        PartialFile partial, RemoteFile file, int chunk, ProgressMeter.Share counted, CancellationToken cancellation)
    {
        var span = partial.Span(chunk);
        var at = span.From;
        await connections.WaitAsync(cancellation);
        try
        {
            await retrier.RunAsync(async attempt =>
            {
                using var opened = await file.Open(new(at, span.End - at), cancellation);
                if (opened.From != at) throw new RangesUnknownException();
                at = await CopyAsync(partial, file, opened.Stream, at, span.End, attempt, counted, p => at = p, cancellation);
                return true;
            }, cancellation);
        }
        finally
        {
            connections.Release();
        }
        partial.Complete(chunk);
    }

    /// <summary>Where a server knows no ranges, every attempt begins at the start.</summary>
    private async Task WholeAsync(PartialFile partial, RemoteFile file, ProgressMeter.Share counted, CancellationToken cancellation)
    {
        await retrier.RunAsync(async attempt =>
        {
            counted.Restart();
            using var opened = await file.Open(new(0, file.Size), cancellation);
            // Bytes are no progress here: they are lost with the connection.
            await CopyAsync(partial, file, opened.Stream, 0, file.Size, null, counted, _ => { }, cancellation);
            return true;
        }, cancellation);
    }

    private async Task<long> CopyAsync(
        PartialFile partial, RemoteFile file, Stream stream, long from, long end, Attempt? attempt, ProgressMeter.Share counted,
        Action<long> reached, CancellationToken cancellation)
    {
        var buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(1, end - from))];
        var at = from;
        try
        {
            while (at < end)
            {
                var wanted = buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - at));
                var count = await http.ReadAsync(stream, wanted, cancellation);
                if (count == 0) throw new IOException(
                    string.Create(CultureInfo.InvariantCulture, $"the connection ended at byte {at} of {file.Size}"));
                await WriteAsync(partial, at, buffer.AsMemory(0, count), cancellation);
                at += count;
                counted.Add(count);
                attempt?.Reset();
                reached(at);
            }
        }
        catch (Exception e) when (e is not StorageException && Faults.Of(e, file.Name) is { } fault)
        {
            throw fault;
        }
        return at;
    }

    // Told apart from a connection's errors, which look alike.
    private static async ValueTask WriteAsync(PartialFile partial, long at, ReadOnlyMemory<byte> block, CancellationToken cancellation)
    {
        try
        {
            await partial.WriteAsync(at, block, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(e);
        }
    }

    private static Exception Storage(Exception e) => e is StorageException or IOException or UnauthorizedAccessException
        ? new SourceException(SourceFault.Storage, $"the cache cannot be written: {(e.InnerException ?? e).Message}", e)
        : e;

    private static void RequireSpace(RepositoryCache cache, List<RemoteFile> files)
    {
        var needed = files.Where(f => !File.Exists(cache.Blob(f.Blob))).Sum(f => f.Size - cache.Begun(f.Blob));
        var free = new DriveInfo(cache.Folder).AvailableFreeSpace;
        if (needed > free)
            throw new SourceException(SourceFault.Storage, string.Create(CultureInfo.InvariantCulture,
                $"the cache has {free / 1e9:0.0} GB free, {needed / 1e9:0.0} GB are needed; give it a larger volume"));
    }

    private sealed class RangesUnknownException : Exception;

    private sealed class StorageException(Exception cause) : Exception(cause.Message, cause);
}
