using System.Runtime.InteropServices;
using Graft.Contract;
using Graft.Server.Protocol;

namespace Graft.Server.Adapters;

/// <summary>
/// Which folders may be read as adapters: those below <c>/artifacts/CLAIM</c>, and below folders that the server's start allowed.
/// A path that leaves its folder by <c>..</c> or by a symbolic link is refused, whether or not anything lies there.
/// </summary>
internal sealed partial class AdapterPaths(IReadOnlyList<string> roots, Func<string, string?> environment)
{
    private readonly string[] roots = [.. roots.Select(r => Path.TrimEndingDirectorySeparator(Path.GetFullPath(r)))];

    /// <summary>Where the adapter named <paramref name="path"/> really lies.</summary>
    /// <exception cref="ApiException">400 when the path is not allowed, 404 when nothing is there.</exception>
    public AdapterLocation Find(string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0') || path.Split('/').Any(part => part is "." or ".."))
        {
            throw ApiException.InvalidInput("'lora_path' must be an absolute path without '.' and '..'.", "lora_path");
        }
        var (root, target) = Allowed(Path.TrimEndingDirectorySeparator(path)) ?? throw ApiException.InvalidInput(
            $"'lora_path' must be a folder below {ContractPaths.Artifacts}/CLAIM, or below one that the server's --adapter-root allows.",
            "lora_path");
        var realRoot = RealPath(root);
        var realTarget = RealPath(target);
        if (realRoot is null || realTarget is null) throw Missing(path);
        if (!IsBelow(realTarget, realRoot))
        {
            throw ApiException.InvalidInput("'lora_path' leaves its folder by a symbolic link.", "lora_path");
        }
        if (!Directory.Exists(realTarget)) throw Missing(path);
        return new AdapterLocation(path, realTarget, realRoot);
    }

    public static ApiException Missing(string path) => ApiException.NotFound($"No adapter found for '{path}'.", "lora_path");

    public static bool IsBelow(string path, string folder) =>
        path == folder || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + '/', StringComparison.Ordinal);

    /// <summary>The path without symbolic links, or null when nothing is there.</summary>
    public static string? RealPath(string path)
    {
        var resolved = RealPath(path, nint.Zero);
        if (resolved == nint.Zero) return null;
        try
        {
            return Marshal.PtrToStringUTF8(resolved);
        }
        finally
        {
            Free(resolved);
        }
    }

    // A claim is mounted, or linked, by whoever started the server: what it is called there is trusted, what lies in it is not.
    private (string Root, string Target)? Allowed(string path)
    {
        const string prefix = ContractPaths.Artifacts + "/";
        if (path.StartsWith(prefix, StringComparison.Ordinal))
        {
            var claim = path[prefix.Length..].Split('/')[0];
            if (claim.Length == 0) return null;
            return (ContractPaths.Resolve(prefix + claim, environment), ContractPaths.Resolve(path, environment));
        }
        var root = roots.FirstOrDefault(r => IsBelow(path, r));
        return root is null ? null : (root, path);
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint resolved);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}

/// <param name="Name">As the caller named it; the only one of the three that is shown.</param>
/// <param name="Folder">Where it is, without symbolic links.</param>
/// <param name="Root">The folder that its files may not leave.</param>
internal sealed record AdapterLocation(string Name, string Folder, string Root);
