using System.Runtime.InteropServices;

namespace Graft.Trainer.Output;

/// <summary>What .NET has no name for.</summary>
internal static partial class Posix
{
    private const int ReadOnlyDirectory = 0x10000;   // O_RDONLY | O_DIRECTORY

    /// <summary>fsync of a folder, so that a rename in it survives a power cut.</summary>
    /// <exception cref="IOException">The folder cannot be opened or written.</exception>
    public static void SyncFolder(string path)
    {
        var file = Open(path, ReadOnlyDirectory);
        if (file < 0) throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        var result = Sync(file);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(file);
        // Some network file systems have no fsync of folders (EINVAL): their rename is as durable as they make it.
        if (result != 0 && error != InvalidArgument) throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Ends the process at once, without waiting for threads that are inside native code.</summary>
    public static void ExitNow(int code)
    {
        Console.Out.Flush();
        Console.Error.Flush();
        Exit(code);
    }

    private const int InvalidArgument = 22;

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
