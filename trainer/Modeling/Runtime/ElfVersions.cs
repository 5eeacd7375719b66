using System.Buffers.Binary;
using System.Text;

namespace Graft.Modeling.Runtime;

/// <summary>
/// Reads which versions of other libraries an ELF shared object needs (<c>.gnu.version_r</c>), and marks one weak. The
/// dynamic linker refuses an object that needs a version its library lacks, even when no symbol of that version is ever
/// bound; a weak need is only a warning to it. Format: "ELF Symbol Versioning" (Linux Standard Base, 10.7).
/// Every offset is checked: a broken file is an <see cref="InvalidDataException"/>, never a read outside the buffer.
/// </summary>
internal sealed class ElfVersions
{
    private const uint Magic = 0x464c457f, VersionNeeded = 0x6ffffffe, VersionSymbols = 0x6fffffff, DynamicSymbols = 11;
    private const int SectionHeaderSize = 64, SymbolSize = 24, Weak = 2;
    private const int MaxEntries = 65_536;

    private readonly byte[] bytes;
    private readonly long sectionsAt;
    private readonly int sectionCount;

    public ElfVersions(byte[] bytes)
    {
        this.bytes = bytes;
        if (bytes.Length < 64 || U32(0) != Magic || bytes[4] != 2 || bytes[5] != 1)
            throw new InvalidDataException("not a little-endian 64-bit ELF file");
        sectionsAt = Offset(U64(0x28));
        sectionCount = U16(0x3C);
        if (U16(0x3A) != SectionHeaderSize) throw new InvalidDataException("unexpected size of ELF section headers");
        _ = Slice(sectionsAt, (long)sectionCount * SectionHeaderSize);
    }

    /// <summary>The file with what was marked.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>Names of the symbols that are bound to <paramref name="version"/> of another library; null when no such version is needed.</summary>
    public IReadOnlyList<string>? SymbolsOf(string version)
    {
        var indexes = Needs().Where(n => n.Name == version).Select(n => (int)U16(n.At + 6)).ToHashSet();
        if (indexes.Count == 0) return null;
        var versions = Section(VersionSymbols);
        var symbols = Section(DynamicSymbols);
        if (versions is null || symbols is null) throw new InvalidDataException("symbol versions without symbols");
        var names = new List<string>();
        var count = Math.Min(versions.Value.Size / 2, symbols.Value.Size / SymbolSize);
        for (long i = 0; i < count; i++)
        {
            if (!indexes.Contains(U16(versions.Value.At + i * 2) & 0x7fff)) continue;
            names.Add(Text(symbols.Value.Link, U32(symbols.Value.At + i * SymbolSize)));
        }
        return names;
    }

    /// <summary>Marks every need of <paramref name="version"/> weak; returns how many there were.</summary>
    public int Weaken(string version)
    {
        var hits = 0;
        foreach (var (name, at) in Needs())
        {
            if (name != version) continue;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan((int)at + 4), (ushort)(U16(at + 4) | Weak));
            hits++;
        }
        return hits;
    }

    /// <summary>Every needed version: its name and where its Elf64_Vernaux lies.</summary>
    private List<(string Name, long At)> Needs()
    {
        var needs = new List<(string, long)>();
        if (Section(VersionNeeded) is not { } section) return needs;
        long file = section.At;
        for (uint f = 0; f < section.Info; f++)
        {
            long entry = file + U32(file + 8);
            for (int e = U16(file + 2); e > 0; e--)
            {
                needs.Add((Text(section.Link, U32(entry + 8)), entry));
                if (needs.Count > MaxEntries) throw new InvalidDataException("too many needed versions");
                if (U32(entry + 12) is var next and not 0) entry += next;
                else break;
            }
            if (U32(file + 12) is var nextFile and not 0) file += nextFile;
            else break;
        }
        return needs;
    }

    private (long At, long Size, int Link, uint Info)? Section(uint type)
    {
        for (var i = 0; i < sectionCount; i++)
        {
            var header = sectionsAt + (long)i * SectionHeaderSize;
            if (U32(header + 4) != type) continue;
            long at = Offset(U64(header + 0x18)), size = Offset(U64(header + 0x20));
            _ = Slice(at, size);
            return (at, size, (int)U32(header + 0x28), U32(header + 0x2C));
        }
        return null;
    }

    private string Text(int section, uint offset)
    {
        if (section < 0 || section >= sectionCount) throw new InvalidDataException("ELF section link out of range");
        var header = sectionsAt + (long)section * SectionHeaderSize;
        var table = Slice(Offset(U64(header + 0x18)), Offset(U64(header + 0x20)));
        if (offset >= table.Length) throw new InvalidDataException("ELF string out of range");
        var text = table[(int)offset..];
        var end = text.IndexOf((byte)0);
        return end < 0 ? throw new InvalidDataException("ELF string without an end") : Encoding.ASCII.GetString(text[..end]);
    }

    private long Offset(ulong value) =>
        value <= (ulong)bytes.Length ? (long)value : throw new InvalidDataException("ELF offset past the end of the file");

    private ReadOnlySpan<byte> Slice(long at, long length) =>
        at >= 0 && length >= 0 && at <= bytes.Length - length
            ? bytes.AsSpan((int)at, (int)length)
            : throw new InvalidDataException("ELF table past the end of the file");

    private ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));
    private uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));
    private ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(at, 8));
}
