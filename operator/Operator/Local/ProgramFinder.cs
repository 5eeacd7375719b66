using System.Runtime.InteropServices;

namespace Graft.Operator.Local;

/// <summary>A program of this machine and the arguments that come before its own.</summary>
internal sealed record LocalProgram(string Path, IReadOnlyList<string> Arguments);

/// <summary>Finds graft-trainer and graft-server: where an option says, beside this program, or where the build put them.</summary>
internal static class ProgramFinder
{
    /// <param name="name"><c>graft-trainer</c> or <c>graft-server</c>.</param>
    /// <param name="project">Its project, which names its folder in the build's layout.</param>
    /// <param name="option">What the person said; a folder, an executable, or a <c>.dll</c>.</param>
    /// <exception cref="LocalFailure">It is nowhere.</exception>
    public static LocalProgram Find(string name, string project, string? option, string baseFolder)
    {
        var candidates = option is not null
            ? [option, Path.Combine(option, name + ".dll"), Path.Combine(option, name)]
            : Known(name, project, baseFolder).ToArray();
        var found = candidates.FirstOrDefault(File.Exists);
        return found is not null
            ? Start(Path.GetFullPath(found))
            : throw new LocalFailure(
                $"{name} is not at {string.Join(" or ", candidates)}; build it, or name it with --{name["graft-".Length..]}-program PATH");
    }

    // artifacts/bin/Operator/release -> artifacts/bin/Trainer/release
    private static IEnumerable<string> Known(string name, string project, string baseFolder)
    {
        var folder = baseFolder.TrimEnd(Path.DirectorySeparatorChar);
        yield return Path.Combine(folder, name + ".dll");
        if (Path.GetDirectoryName(Path.GetDirectoryName(folder)) is { } bin)
            yield return Path.Combine(bin, project, Path.GetFileName(folder), name + ".dll");
    }

    private static LocalProgram Start(string path) =>
        path.EndsWith(".dll", StringComparison.Ordinal) ? new(Dotnet(), [path]) : new(path, []);

    // The host that runs this process, so that its programs need no dotnet on PATH and no variable.
    private static string Dotnet()
    {
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var host = Path.Combine(root, "dotnet");
        return File.Exists(host) ? host : "dotnet";
    }
}
