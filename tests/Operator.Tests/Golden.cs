using System.Runtime.CompilerServices;

namespace Graft.Operator.Tests;

/// <summary>Files that say what comes out. UPDATE_GOLDEN=1 writes them anew; the diff is then what a reviewer reads.</summary>
internal static class Golden
{
    public static string Folder([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "golden");

    public static string Repository([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));

    public static void Check(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"{path} is missing; run once with UPDATE_GOLDEN=1 and read what it writes");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
