using System.CommandLine;
using System.Diagnostics;

namespace Graft.Benchmarks.Sizes;

/// <summary>What the programs weigh when they are published.</summary>
internal static class SizesCommand
{
    private static readonly (string Name, string Project)[] Programs =
        [("operator", "operator/Operator"), ("trainer", "trainer/Trainer"), ("server", "trainer/Server")];

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("sizes", "Size of each published program.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = Directory.CreateTempSubdirectory("graft-sizes-").FullName;
            try
            {
                List<Figure> figures = [];
                foreach (var (name, project) in Programs)
                {
                    var target = Path.Combine(folder, name);
                    Report.Say($"publishing {project}");
                    await PublishAsync(project, target, cancellation);
                    var bytes = new DirectoryInfo(target).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);
                    figures.Add(new($"{name}_published_mib", bytes / 1048576.0, "MiB"));
                }
                Report.Print(figures, parsed.GetValue(json));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static async Task PublishAsync(string project, string target, CancellationToken cancellation)
    {
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "-o", target, "-v", "q"])
        {
            RedirectStandardOutput = true,
        })!;
        var output = await publish.StandardOutput.ReadToEndAsync(cancellation);
        await publish.WaitForExitAsync(cancellation);
        if (publish.ExitCode != 0) throw new InvalidOperationException($"dotnet publish {project} ended with {publish.ExitCode}:\n{output}");
    }
}
