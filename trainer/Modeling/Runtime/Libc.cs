using System.Runtime.InteropServices;

namespace Graft.Modeling.Runtime;

/// <summary>The few calls of the C library that .NET has no name for.</summary>
internal static unsafe partial class Libc
{
    public const int ProtRead = 1, ProtWrite = 2, MapPrivate = 2;
    public const uint MemfdCloseOnExec = 1;

    /// <summary>glibc's mallopt parameters.</summary>
    public const int TrimThreshold = -1, MmapThreshold = -3;

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    public static partial int Mallopt(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int MemfdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Mmap(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Munmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "malloc")]
    public static partial void* Malloc(nuint size);

    [LibraryImport("libc", EntryPoint = "free")]
    public static partial void Free(nint memory);

    /// <summary>The path without symbolic links, to be freed; 0 when there is nothing.</summary>
    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint RealPath(string path, nint buffer);
}
