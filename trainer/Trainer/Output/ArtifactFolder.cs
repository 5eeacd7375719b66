using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Output;

/// <summary>
/// Writes an artifact that appears complete or not at all: files go into a hidden folder beside the final one, each is made
/// durable, <c>manifest.json</c> comes last, and one rename puts the folder in its place.
/// </summary>
/// <remarks>
/// The hidden folder is made before training, so that a full, read-only or foreign disk shows before hours are spent. A lock
/// in it tells a folder that is being written from one that a killed process left behind, which the next run removes.
/// </remarks>
internal sealed class ArtifactFolder : IDisposable
{
    private const string LockName = ".lock";
    private readonly string final;
    private FileStream? held;

    private ArtifactFolder(string final, string partial, FileStream held) => (this.final, Partial, this.held) = (final, partial, held);

    /// <summary>Where the files are to be written.</summary>
    public string Partial { get; }

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.OutputError"/>.</exception>
    public static ArtifactFolder Create(string final)
    {
        final = Path.GetFullPath(final).TrimEnd('/');
        var parent = Path.GetDirectoryName(final)!;
        return Guarded(final, () =>
        {
            Directory.CreateDirectory(parent);
            RemoveStale(parent, Path.GetFileName(final));
            var partial = Path.Combine(parent, $"{Prefix(Path.GetFileName(final))}{Guid.NewGuid():n}");
            Directory.CreateDirectory(partial);
            return new ArtifactFolder(final, partial, Lock(partial));
        });
    }

    /// <summary>Writes the manifest over the files that are there, makes all durable and moves the folder to its place.</summary>
    /// <param name="manifest">Everything but the list of files.</param>
    /// <returns>Digest of the manifest, and bytes of the whole artifact.</returns>
    public (string Digest, long Bytes) Publish(ArtifactManifest manifest) => Guarded(final, () =>
    {
        var files = ArtifactReader.Describe(Partial, except: LockName).ToList();
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest with { Files = files }, ContractJson.Indented.ArtifactManifest);
        File.WriteAllBytes(Path.Combine(Partial, ArtifactLayout.Manifest), json);
        Release();
        Durable.Sync(Partial);
        Directory.Move(Partial, final);
        Posix.SyncFolder(Path.GetDirectoryName(final)!);
        return (Digests.Of(json), files.Sum(f => f.Bytes) + json.Length);
    });

    /// <summary>Runs a write and names the folder and the reason when the disk refuses it.</summary>
    public static T Guarded<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunFailedException.Output($"{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>What is left of an unfinished artifact goes.</summary>
    public void Dispose()
    {
        Release();
        if (Directory.Exists(Partial)) TryRemove(Partial);
    }

    private static string Prefix(string name) => $".{name}.partial-";

    private static FileStream Lock(string partial) =>
        new(Path.Combine(partial, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private void Release()
    {
        if (held is null) return;
        File.Delete(Path.Combine(Partial, LockName));
        held.Dispose();
        held = null;
    }

    private static void RemoveStale(string parent, string name)
    {
        foreach (var partial in Directory.EnumerateDirectories(parent, Prefix(name) + "*"))
        {
            // Complete but for the rename: its lock is gone already, and the rename comes next.
            if (File.Exists(Path.Combine(partial, ArtifactLayout.Manifest)) && !File.Exists(Path.Combine(partial, LockName))) continue;
            try
            {
                Lock(partial).Dispose();
            }
            catch (IOException)
            {
                continue;   // Another run is writing it.
            }
            TryRemove(partial);
        }
    }

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It costs room, nothing else; the next run tries again.
        }
    }
}
