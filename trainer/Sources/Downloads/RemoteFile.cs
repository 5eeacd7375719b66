namespace Graft.Sources.Downloads;

/// <summary>A file on the other side, as it was announced.</summary>
/// <param name="Name">Path below the source's root, with '/'.</param>
/// <param name="Blob">Name of its bytes in the cache: equal names are equal bytes.</param>
/// <param name="Size">Bytes; a transfer never takes more.</param>
/// <param name="Open">Opens the bytes from an offset, for so many bytes.</param>
internal sealed record RemoteFile(
    string Name, string Blob, long Size, FileCheck Check, Func<ByteSpan, CancellationToken, Task<OpenedRange>> Open);

internal readonly record struct ByteSpan(long From, long Length)
{
    public long End => From + Length;
}

/// <summary>An answer's body. It may begin earlier than asked for, where a server knows no ranges.</summary>
/// <param name="Owner">Disposed with the stream.</param>
internal sealed record OpenedRange(Stream Stream, long From, IDisposable? Owner = null) : IDisposable
{
    public void Dispose()
    {
        Stream.Dispose();
        Owner?.Dispose();
    }
}
