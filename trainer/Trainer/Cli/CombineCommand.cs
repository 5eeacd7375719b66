using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Merging;
using Graft.Trainer.Output;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class CombineCommand
{
    public static Command Create(TorchThread torch)
    {
        var adapters = new CombinationFlags("--method");
        var output = new Option<string>("--output")
        {
            HelpName = "FOLDER",
            Description = "The adapter's folder to write. It must not be there yet.",
            Required = true,
        };
        var command = new Verb("combine", "Makes one LoRA of several, as PEFT's add_weighted_adapter does.", $"""
            The adapters must be plain LoRAs of the same base, in folders as PEFT writes them. The result is another one. It appears
            complete or not at all, and is the same bytes for the same input. To put it into the base at once: graft-trainer merge.

            Methods:
            {CombinationFlags.Manual}

            Two things are otherwise than in PEFT, where it is wrong: svd counts an adapter's scale (alpha / r) once, and the scale of
            rsLoRA is not counted again in the result.

            Examples:
              graft-trainer combine --adapter adapters/first --adapter adapters/second --weights 0.7,0.3 --method cat --output adapters/both
              graft-trainer combine --adapter adapters/first --adapter adapters/second --method dare_ties --density 0.3 --seed 1 \
                --output adapters/both
              A smaller rank of one adapter:
                graft-trainer combine --adapter adapters/first --method svd --rank 4 --output adapters/smaller
            """);
        adapters.AddTo(command);
        command.Options.Add(output);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var paths = adapters.Adapters(parsed);
            var options = adapters.Of(parsed) ?? throw RunFailedException.Job("--method must say how the adapter is combined");
            foreach (var path in paths) OpenModel.CheckAdapter(path);
            var target = Path.GetFullPath(parsed.GetValue(output)!).TrimEnd('/');
            AtomicOutput.Write(target, (folder, _) => torch.Run(() =>
            {
                TorchRuntime.Load();
                Directory.CreateDirectory(folder);
                LoraCombiner.Write(paths, options, folder);
                DerivedManifests.Write(folder, ArtifactKind.Adapter, "F32", paths, options, model: null);
                return ExitCodes.Success;
            }));
            Console.WriteLine($"wrote {target}");
            return ExitCodes.Success;
        }));
        return command;
    }
}
