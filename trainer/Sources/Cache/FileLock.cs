namespace Graft.Sources.Cache;

/// <summary>
/// A lock between processes that ends with its holder, however that ends: flock(2), which .NET takes for a file that is opened
/// unshared, and Python's filelock as well.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(500);
    private readonly FileStream file;

    private FileLock(FileStream file) => this.file = file;

    /// <param name="waits">Called each time that another process turned out to hold it.</param>
    public static async Task<FileLock> TakeAsync(string path, TimeProvider time, Action waits, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            try
            {
                return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            }
            catch (IOException e) when (IsHeld(e))
            {
                waits();
                await Task.Delay(wait, time, cancellation);
            }
        }
    }

    public void Dispose() => file.Dispose();

    // EWOULDBLOCK of flock, as .NET reports it on Linux and macOS, and a sharing violation on Windows.
    private static bool IsHeld(IOException e) =>
        e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException)
            && (e.HResult is 11 or 35 || (e.HResult & 0xFFFF) == 32);
}
