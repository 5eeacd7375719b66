using Graft.Trainer.Runs;

namespace Graft.Trainer.Output;

/// <summary>A file or a folder that appears complete or not at all: written aside, made durable, renamed.</summary>
internal static class AtomicOutput
{
    /// <param name="target">A full path at which nothing is yet.</param>
    /// <param name="write">
    /// Makes the first path, which is then renamed, and may leave what it needs besides in the second, a folder that is removed in any
    /// case.
    /// </param>
    /// <exception cref="RunFailedException">
    /// Class <see cref="Contract.FailureClass.OutputError"/>: there is something, or the disk refuses.
    /// </exception>
    public static void Write(string target, Action<string, string> write)
    {
        if (Path.Exists(target)) throw RunFailedException.Output($"{target} is there already");
        var parent = Path.GetDirectoryName(target)!;
        ArtifactFolder.Guarded(target, () =>
        {
            Directory.CreateDirectory(parent);
            var scratch = Path.Combine(parent, $".{Path.GetFileName(target)}.partial-{Guid.NewGuid():n}");
            Directory.CreateDirectory(scratch);
            try
            {
                // Apart, so that no name of what is made besides can meet the output's.
                var (made, besides) = (Directory.CreateDirectory(Path.Combine(scratch, "output")), Directory.CreateDirectory(Path.Combine(scratch, "besides")));
                var output = Path.Combine(made.FullName, Path.GetFileName(target));
                write(output, besides.FullName);
                Durable.Sync(output);
                if (File.Exists(output)) File.Move(output, target);
                else Directory.Move(output, target);
                Posix.SyncFolder(parent);
            }
            finally
            {
                Remove(scratch);
            }
            return true;
        });
    }

    /// <summary>What cannot be removed is left, rather than hiding how the writing ended.</summary>
    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
