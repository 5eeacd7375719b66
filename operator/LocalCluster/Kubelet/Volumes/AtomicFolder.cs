using System.Globalization;
using System.Runtime.InteropServices;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>A file of a volume that the API's objects fill.</summary>
/// <param name="Mode">Permission bits; null gives those that volumes have unless they say otherwise.</param>
internal sealed record VolumeFile(byte[] Content, int? Mode);

/// <summary>
/// Writes a volume's files so that a reader sees all of the old or all of the new ones (pkg/volume/util/atomic_writer.go): they lie in a
/// folder of their own, <c>..data</c> points to it and is replaced at once, and each name points through <c>..data</c>.
/// </summary>
internal static class AtomicFolder
{
    private const string Data = "..data";
    private const int DefaultMode = 0b110_100_100;
    private const int PermissionBits = 0b111_111_111;

    /// <param name="files">Relative path -> file.</param>
    /// <returns>Whether anything changed.</returns>
    public static bool Write(string folder, IReadOnlyDictionary<string, VolumeFile> files, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        var data = Path.Combine(folder, Data);
        var current = new DirectoryInfo(data).LinkTarget is { } target ? Path.Combine(folder, target) : null;
        if (current is not null && IsSame(current, files)) return false;

        var name = string.Create(CultureInfo.InvariantCulture, $"..{now:yyyy_MM_dd_HH_mm_ss}.{Guid.NewGuid().ToString("N")[..9]}");
        var fresh = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        foreach (var (path, file) in files) WriteFile(Path.Combine(fresh, path), file);
        var next = Path.Combine(folder, "..data_tmp");
        File.Delete(next);
        File.CreateSymbolicLink(next, name);
        if (Rename(next, data) != 0) throw new IOException($"{data} cannot be replaced: {Marshal.GetLastPInvokeErrorMessage()}");

        var tops = files.Keys.Select(path => path.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var top in tops.Where(top => new FileInfo(Path.Combine(folder, top)).LinkTarget is null))
            File.CreateSymbolicLink(Path.Combine(folder, top), $"{Data}/{top}");
        foreach (var gone in Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Where(n => n is not null && !n.StartsWith("..", StringComparison.Ordinal) && !tops.Contains(n)))
            File.Delete(Path.Combine(folder, gone!));
        if (current is not null && Directory.Exists(current)) Directory.Delete(current, recursive: true);
        return true;
    }

    private static bool IsSame(string folder, IReadOnlyDictionary<string, VolumeFile> files)
    {
        if (!Directory.Exists(folder)) return false;
        var there = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).ToHashSet(StringComparer.Ordinal);
        return there.SetEquals(files.Keys) && files.All(f =>
            File.ReadAllBytes(Path.Combine(folder, f.Key)).AsSpan().SequenceEqual(f.Value.Content)
            && File.GetUnixFileMode(Path.Combine(folder, f.Key)) == ModeOf(f.Value));
    }

    private static void WriteFile(string path, VolumeFile file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file.Content);
        File.SetUnixFileMode(path, ModeOf(file));
    }

    private static UnixFileMode ModeOf(VolumeFile file) => (UnixFileMode)((file.Mode ?? DefaultMode) & PermissionBits);

    // rename(2) replaces a link in one step; .NET's own moves refuse a link to a folder.
    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
}
