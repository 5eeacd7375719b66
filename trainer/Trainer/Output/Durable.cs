namespace Graft.Trainer.Output;

/// <summary>What survives a power cut.</summary>
internal static class Durable
{
    /// <summary>Flushes a file to the disk, or a folder with all that is in it.</summary>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Sync(string path)
    {
        if (File.Exists(path))
        {
            SyncFile(path);
            return;
        }
        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)) SyncFile(file);
        foreach (var folder in Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Append(path)) Posix.SyncFolder(folder);
    }

    private static void SyncFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
    }
}
