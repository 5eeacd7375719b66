namespace Graft.Trainer.Tests.Support;

/// <summary>Files of the repository that tests read.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory, "Operator.sln");

    public static string Fixture(params string[] parts) => Path.Combine([Root, "tests", "fixtures", .. parts]);

    public static string Sample(params string[] parts) => Path.Combine([Root, "samples", .. parts]);

    /// <summary>Models and data beside the repository; tests that use them are skipped where they are absent.</summary>
    public static string Shared(params string[] parts) => Path.Combine([Path.GetDirectoryName(Root)!, "shared", .. parts]);

    /// <summary>
    /// A real model's folder. Where it is not there the test is skipped and says so; it fails where GRAFT_MODELS named the folder.
    /// </summary>
    public static string RealModel(string name, Func<string, string?> variable)
    {
        var named = variable("GRAFT_MODELS") is { Length: > 0 } value ? value : null;
        var folder = Path.GetFullPath(Path.Combine(named ?? Shared("models"), name));
        if (named is not null && !Directory.Exists(folder))
            throw new InvalidOperationException($"GRAFT_MODELS is {named}, but there is no {folder}");
        Skip.IfNot(Directory.Exists(folder), $"the real model {folder} is not there; GRAFT_MODELS may name the folder that holds it");
        return folder;
    }

    private static string Find(string from, string marker)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, marker))) return folder.FullName;
        }
        throw new InvalidOperationException($"no {marker} above {from}");
    }
}
