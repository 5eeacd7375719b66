namespace Graft.Integration.Harness;

/// <summary>Where things lie in this checkout.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The operator as it was built with these tests.</summary>
    public static string OperatorProgram { get; } = Output("Operator", "graft-operator");

    /// <summary>Real programs that <c>make components</c> fetches.</summary>
    public static string Components => Path.Combine(Root, "artifacts", "components");

    /// <summary>A file, or with no name the folder, that the build of a project made in the configuration of these tests.</summary>
    public static string Output(string project, string file = "") => Path.Combine(Root, "artifacts", "bin", project, Configuration, file);

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Name;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) return folder.FullName;
        throw new InvalidOperationException($"no Operator.sln above {AppContext.BaseDirectory}");
    }
}
