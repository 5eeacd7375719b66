namespace Graft.Trainer.Tests.Support;

/// <summary>Files of the repository that tests read.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory, "Operator.sln");

    public static string Fixture(params string[] parts) => Path.Combine([Root, "tests", "fixtures", .. parts]);

    public static string Sample(params string[] parts) => Path.Combine([Root, "samples", .. parts]);

    /// <summary>Models and data beside the repository; tests that use them are skipped where they are absent.</summary>
    public static string Shared(params string[] parts) => Path.Combine([Path.GetDirectoryName(Root)!, "shared", .. parts]);

    private static string Find(string from, string marker)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, marker))) return folder.FullName;
        }
        throw new InvalidOperationException($"no {marker} above {from}");
    }
}
