using System.Runtime.InteropServices;
using Graft.Modeling.Runtime;

namespace Graft.Modeling.Files;

/// <summary>
/// A file in memory without reading it: pages come when they are touched. The mapping is private, so tensors over it may be
/// written to without changing the file.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private nint address;

    public MappedFile(string path)
    {
        Path = path;
        try
        {
            using var file = File.OpenHandle(path);
            Length = RandomAccess.GetLength(file);
            if (Length == 0) return;
            address = Libc.Mmap(0, (nuint)Length, Libc.ProtRead | Libc.ProtWrite, Libc.MapPrivate, (int)file.DangerousGetHandle(), 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be opened: {e.Message}", e);
        }
        if (address != -1) return;
        address = 0;
        throw new ModelFormatException(path, $"cannot be mapped into memory (error {Marshal.GetLastPInvokeError()})");
    }

    public string Path { get; }
    public long Length { get; }
    public byte* Start => (byte*)address;

    /// <summary>A part of the file; the caller has checked that it lies within.</summary>
    public ReadOnlySpan<byte> Slice(long at, int length)
    {
        if (at < 0 || length < 0 || at > Length - length) throw new ArgumentOutOfRangeException(nameof(at));
        return new ReadOnlySpan<byte>(Start + at, length);
    }

    public void Dispose()
    {
        if (address == 0) return;
        _ = Libc.Munmap(address, (nuint)Length);
        address = 0;
    }
}
