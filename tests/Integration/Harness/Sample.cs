using System.Text;

namespace Graft.Integration.Harness;

/// <summary>The quickstart's files: its small model and its rows are what most tests train on.</summary>
internal static class Sample
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "samples", "quickstart");

    /// <summary>Model and rows, as the claim <c>inputs</c> has them in the manifests of <see cref="TestNamespace"/>.</summary>
    public static Dictionary<string, byte[]> Inputs(string? trainRows = null)
    {
        var files = Directory.EnumerateFiles(Path.Combine(Folder, "model"))
            .ToDictionary(f => "model/" + Path.GetFileName(f), File.ReadAllBytes);
        files["data/train.jsonl"] = trainRows is null
            ? File.ReadAllBytes(Path.Combine(Folder, "data", "train.jsonl"))
            : Encoding.UTF8.GetBytes(trainRows);
        return files;
    }

    /// <summary>A copy of the whole sample, to be changed.</summary>
    public static string CopyTo(string target)
    {
        foreach (var path in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(Folder, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
        return target;
    }

    /// <summary>
    /// Changes one file of a copy; fails when there is nothing to change, so that no test passes because of a sample that moved on.
    /// </summary>
    public static void Change(string folder, string file, string from, string to)
    {
        var path = Path.Combine(folder, file);
        var text = File.ReadAllText(path);
        if (!text.Contains(from, StringComparison.Ordinal)) throw new InvalidOperationException($"{file} has no '{from}'");
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }
}
