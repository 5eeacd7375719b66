using System.Formats.Tar;
using System.Text;
using Graft.Sources.Oci;

namespace Graft.Sources.Tests.Oci;

public class TarBytesTests
{
    [Theory]
    [InlineData('x', "13146000000\0")]
    [InlineData('g', "13146000000\0")]
    [InlineData('L', "13146000000\0")]
    [InlineData('K', "00010000000 ")]
    [InlineData('x', "nonsense\0\0\0\0")]
    public async Task An_extended_header_that_says_it_is_huge_takes_no_memory(char type, string size)
    {
        var archive = Tar(("model.safetensors", 700)).Concat(Header(type, Encoding.ASCII.GetBytes(size))).Concat(new byte[10_000]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync([.. archive], piece: int.MaxValue));

        Assert.Contains("header", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public async Task A_size_in_base_256_is_read_as_one()
    {
        byte[] size = [0x80, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff];
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync([.. Header('x', size), .. new byte[10_000]], piece: int.MaxValue));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(int.MaxValue)]
    public async Task Archives_of_every_format_pass_in_pieces_of_any_size(int piece)
    {
        var longName = string.Concat(Enumerable.Repeat("folder/", 60)) + "model.safetensors";
        foreach (var format in new[] { TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu })
        {
            // Bytes of a file that look like a header of 1.5 GB are no header.
            var trap = Header('x', "13146000000\0"u8.ToArray());
            (string, int)[] files = [("a.json", 0), ("b.json", 1), ("c.json", 512), ("d.json", 513), ("e.json", 100_000)];
            if (format != TarEntryFormat.Ustar) files = [.. files, (longName, 600)];

            var read = await ReadAsync(Tar(format, trap, files), piece);

            Assert.Equal(files, read);
        }
    }

    private static async Task<List<(string, int)>> ReadAsync(byte[] archive, int piece)
    {
        var names = new List<(string, int)>();
        var bytes = new TarBytes(new Pieces(archive, piece), archive.Length);
        await using var tar = new TarReader(bytes);
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            bytes.Follows(entry.DataStream?.Length ?? 0);
            names.Add((entry.Name, (int)entry.Length));
        }
        return names;
    }

    private static byte[] Tar(params (string Name, int Size)[] files) => Tar(TarEntryFormat.Pax, [0], files)[..^1024];

    private static byte[] Tar(TarEntryFormat format, byte[] pattern, (string Name, int Size)[] files)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, format, leaveOpen: true))
        {
            foreach (var (name, size) in files)
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream([.. Enumerable.Range(0, size).Select(i => pattern[i % pattern.Length])]);
                tar.WriteEntry(entry);
            }
        }
        return stream.ToArray();
    }

    private static byte[] Header(char type, byte[] size)
    {
        var header = new byte[512];
        "x"u8.CopyTo(header);
        "0000644\0"u8.CopyTo(header.AsSpan(100));
        size.CopyTo(header, 124);
        "00000000000\0        "u8.CopyTo(header.AsSpan(136));
        header[156] = (byte)type;
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        Encoding.ASCII.GetBytes($"{Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0')}\0 ").CopyTo(header, 148);
        return header;
    }

    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
