using System.CommandLine;
using Graft.Operator.Generate;

namespace Graft.Operator.Cli;

/// <summary>Writes what is made from the C# records: CRDs, RBAC, the operator's manifests and the API reference.</summary>
internal static class GenerateCommand
{
    public static Command Build()
    {
        var output = new Option<DirectoryInfo>("--output")
        {
            Description = "Folder to write into; absent: the root of the repository around the current folder.",
            HelpName = "FOLDER",
        };
        var image = new Option<string>("--image")
        {
            Description = "Image of the operator.",
            HelpName = "IMAGE",
            DefaultValueFactory = _ => OperatorOptions.DefaultOperatorImage,
        };
        var trainer = new Option<string>("--trainer-image")
        {
            Description = "Image that the operator runs trainers from; absent: the operator's own default.",
            HelpName = "IMAGE",
        };
        var server = new Option<string>("--server-image")
        {
            Description = "Image that it runs servers from; absent: likewise.",
            HelpName = "IMAGE",
        };
        var command = new Command("generate", "Write CRDs, RBAC, the operator's manifests and the API reference.")
        {
            output, image, trainer, server,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var root = parsed.GetValue(output)?.FullName ?? RepositoryRoot(Directory.GetCurrentDirectory());
            if (root is null)
            {
                await Console.Error.WriteLineAsync("generate: there is no Operator.sln here or above; name the repository with --output");
                return 1;
            }
            var images = new OperatorImages(parsed.GetValue(image)!, parsed.GetValue(trainer), parsed.GetValue(server));
            foreach (var (name, text) in GeneratedFiles.All(images))
            {
                var path = Path.Combine(root, name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllTextAsync(path, text, cancellation);
                Console.WriteLine(name);
            }
            return 0;
        });
        return command;
    }

    private static string? RepositoryRoot(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Operator.sln"))) return folder;
        }
        return null;
    }
}
