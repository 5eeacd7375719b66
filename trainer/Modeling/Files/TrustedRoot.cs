using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Graft.Modeling.Runtime;

namespace Graft.Modeling;

/// <summary>
/// The folder whose content may be read as a model or an adapter. Names inside may not leave it: not by <c>..</c>, not as absolute
/// paths, and symbolic links only lead where their targets lie below it too.
/// </summary>
public sealed partial class TrustedRoot
{
    /// <summary>Endings of the files that are read of a model's or adapter's folder.</summary>
    private static readonly string[] Read = [".json", ".jinja", ".safetensors", ".gguf", ".model", ".txt"];

    private readonly string real;

    private TrustedRoot(string real) => this.real = real;

    /// <summary>A folder, or a mounted volume.</summary>
    /// <exception cref="ModelFormatException">It is not there.</exception>
    public static TrustedRoot At(string folder) => new(RealPath(folder) ?? throw new ModelFormatException(folder, "is not there"));

    /// <summary>
    /// What a person trusts who names a model or adapter on this machine: that folder, or the folder of that file; and for a snapshot
    /// of the Hugging Face cache (<c>CACHE/models--NAME/snapshots/COMMIT</c>), whose files are links, the cache.
    /// </summary>
    public static TrustedRoot Named(string path)
    {
        var named = RealPath(path) ?? throw new ModelFormatException(path, "is neither a model folder nor a file");
        var folder = Directory.Exists(named) ? named : Path.GetDirectoryName(named)!;
        // The name as it was given may be a file's in a snapshot, which is a link to a blob.
        var given = Path.GetFullPath(path);
        var cache = CacheOf(Directory.Exists(given) ? given : Path.GetDirectoryName(given)!);
        return new TrustedRoot(cache is null ? folder : RealPath(cache)!);
    }

    /// <summary>The file or folder itself, behind all links.</summary>
    /// <exception cref="ModelFormatException">It is not there, or outside.</exception>
    public string Resolve(string path)
    {
        var target = RealPath(path) ?? throw new ModelFormatException(path, "is not there");
        return target == real || target.StartsWith(real.EndsWith('/') ? real : real + "/", StringComparison.Ordinal) ? target
            : throw new ModelFormatException(path, $"leads to {target}, outside of {real}; only links within that folder are followed");
    }

    /// <summary>A file that another file names, below its folder.</summary>
    /// <param name="owner">The file that names it.</param>
    /// <exception cref="ModelFormatException">The name leaves the folder, or leads to nothing.</exception>
    public string ResolveName(string owner, string? name, string what)
    {
        if (string.IsNullOrEmpty(name) || name.AsSpan().ContainsAny('\\', '\0') || name.Split('/').Any(p => p is ".." or "." or ""))
            throw new ModelFormatException(owner,
                $"names the {what} '{name}'; such a name may be neither empty nor absolute, nor contain '..'");
        var path = Path.Combine(Path.GetDirectoryName(owner)!, name);
        if (!File.Exists(path)) throw new ModelFormatException(owner, $"names the {what} '{name}', which is not there");
        Resolve(path);
        return path;
    }

    /// <summary>Checks a folder and every file in it that belongs to a model or adapter, before the first is read.</summary>
    /// <exception cref="ModelFormatException">One of them leads outside.</exception>
    public void Check(string folder)
    {
        Resolve(folder);
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
        {
            var isRead = Read.Contains(file.Extension, StringComparer.OrdinalIgnoreCase);
            if (isRead && file.LinkTarget is not null && file.Exists) Resolve(file.FullName);
        }
    }

    private static string? CacheOf(string folder) =>
        CachePattern().Match(folder) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex("^(/.+?)/models--[^/]+/snapshots/[^/]+(/|$)")]
    private static partial Regex CachePattern();

    private static string? RealPath(string path)
    {
        var found = Libc.RealPath(Path.GetFullPath(path), 0);
        if (found == 0) return null;
        try
        {
            return Marshal.PtrToStringUTF8(found);
        }
        finally
        {
            Libc.Free(found);
        }
    }
}
