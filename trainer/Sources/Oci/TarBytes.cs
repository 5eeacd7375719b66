using System.Buffers.Binary;
using System.Text;

namespace Graft.Sources.Oci;

/// <summary>
/// The bytes of a tar archive on their way to its reader, which believes each header: it takes as much memory as an extended header
/// says it has. So the headers are looked at as they pass, and one that is too long is an error before it is read. Everything together
/// ends with an error after so many bytes.
/// </summary>
internal sealed class TarBytes(Stream inner, long limit) : Stream
{
    private const int Block = 512;

    /// <summary>Names and times of one file, of which paths are the longest; PATH_MAX is 4096 on Linux.</summary>
    private const long MaxExtended = 1 << 20;

    private readonly byte[] header = new byte[Block];
    private int held;
    private long data;
    private long extended;
    private long left = limit;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Says how long the data is that follow the header that was read last; only the reader knows, from all its headers.</summary>
    public void Follows(long bytes) => (data, extended) = (Padded(bytes), 0);

    public override int Read(byte[] buffer, int offset, int count) => Passed(buffer.AsSpan(offset, inner.Read(buffer, offset, count)));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        return Passed(buffer.Span[..count]);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Passed(ReadOnlySpan<byte> bytes)
    {
        if ((left -= bytes.Length) < 0) throw new InvalidDataException("it holds far more than its size allows");
        for (var rest = bytes; rest.Length > 0;)
        {
            if (data > 0)
            {
                var skipped = (int)Math.Min(data, rest.Length);
                data -= skipped;
                rest = rest[skipped..];
                continue;
            }
            var taken = Math.Min(Block - held, rest.Length);
            rest[..taken].CopyTo(header.AsSpan(held));
            rest = rest[taken..];
            if ((held += taken) < Block) continue;
            held = 0;
            Look();
        }
        return bytes.Length;
    }

    // PAX headers of one file or of all that follow, and GNU's long names and long link names (POSIX.1-2001, pax; GNU tar manual).
    private void Look()
    {
        if (header[156] is not ((byte)'x' or (byte)'g' or (byte)'L' or (byte)'K')) return;
        var size = Size(header.AsSpan(124, 12));
        if (size < 0 || (extended += Padded(size)) > MaxExtended)
            throw new InvalidDataException($"the header of an entry is longer than {MaxExtended} bytes");
        data = Padded(size);
    }

    // Octal digits, or with the first bit set a number in base 256; negative for what is neither.
    private static long Size(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0) return field[..4] is [0x80, 0, 0, 0] ? BinaryPrimitives.ReadInt64BigEndian(field[4..]) : -1;
        var size = 0L;
        foreach (var c in Encoding.ASCII.GetString(field).Trim('\0', ' '))
        {
            if (c is < '0' or > '7') return -1;
            size = (size << 3) + (c - '0');
        }
        return size;
    }

    private static long Padded(long bytes) => bytes > long.MaxValue - Block ? long.MaxValue : (bytes + Block - 1) / Block * Block;
}
