using Graft.Modeling.Runtime;

namespace Graft.Modeling.Tests.Runtime;

public sealed class ElfVersionsTests
{
    private const string Version = "GLIBCXX_3.4.32";
    private static readonly byte[] Shim = File.ReadAllBytes(TorchRuntime.Load().Shim);

    [Fact]
    public void The_newest_version_is_needed_for_one_harmless_symbol() =>
        Assert.Equal(["_ZSt21ios_base_library_initv"], new ElfVersions(Shim.ToArray()).SymbolsOf(Version));

    [Fact]
    public void Weakening_changes_one_field_and_no_more()
    {
        var elf = new ElfVersions(Shim.ToArray());
        Assert.Equal(1, elf.Weaken(Version));
        Assert.Equal(1, Shim.AsSpan().ToArray().Zip(elf.Bytes.ToArray()).Count(p => p.First != p.Second));
        Assert.Null(elf.SymbolsOf("GLIBCXX_9.9.9"));
        Assert.Equal(0, elf.Weaken("GLIBCXX_9.9.9"));
    }

    [Fact]
    public void A_file_that_is_no_library_is_refused()
    {
        foreach (var bytes in new[] { [], new byte[63], new byte[4096], "#!/bin/sh"u8.ToArray() })
            Assert.Throws<InvalidDataException>(() => new ElfVersions(bytes));
    }

    [Fact]
    public void Damaged_files_are_refused_or_read_but_never_read_beyond()
    {
        var random = new Random(11);
        var header = BitConverter.ToInt64(Shim, 0x28);
        for (var i = 0; i < 200; i++)
        {
            // Damage where it matters: the file's header, the section headers, or a cut.
            var bytes = i % 4 == 0 ? Shim[..random.Next(Shim.Length)] : Shim.ToArray();
            for (var flips = 0; flips < 8; flips++)
            {
                var at = random.Next(3) == 0 ? random.Next(64) : header + random.Next((int)(Shim.Length - header));
                if (at < bytes.Length) bytes[at] = (byte)random.Next(256);
            }
            try
            {
                var elf = new ElfVersions(bytes);
                _ = elf.SymbolsOf(Version);
                _ = elf.Weaken(Version);
            }
            catch (InvalidDataException)
            {
                // What a damaged file should end in, if the damage shows.
            }
        }
    }

    [Fact]
    public void A_folder_without_libtorch_is_named_in_the_message()
    {
        var thrown = Assert.Throws<TorchRuntimeException>(() => TorchRuntime.Folders("/nowhere"));
        Assert.Contains("/nowhere", thrown.Message, StringComparison.Ordinal);
    }
}
